package gateway

import "context"

// Consumer is somebody who sends requests and proves who they are.
type Consumer struct {
	Record

	CustomID    string   // what other systems call them
	Groups      []string // that access lists name
	Credentials []Credential
}

// Kinds of credentials.
const (
	KeyAuth   = "keys"
	BasicAuth = "basic_auth"
	JWT       = "jwt"
	HMACAuth  = "hmac_auth"
)

// Credential is one way in which a consumer proves who they are. What is read has no secret.
type Credential struct {
	Kind      string
	Name      string // a label for a key, the user name or the JWT's issuer
	Secret    string // the key, the password or what signatures are made with
	Version   int64  // counts the secrets, so that a new one is known as such; 0 if it is not known
	Algorithm string // of a JWT's signature
	PublicKey string // that a JWT's signature is checked with, in PEM
}

// Consumers configures who may send requests.
type Consumers interface {
	CheckConsumer(consumer Consumer) []Unsupported
	PutConsumer(ctx context.Context, consumer Consumer) error
	Consumer(ctx context.Context, name string) (Consumer, error)
	Consumers(ctx context.Context) ([]Consumer, error)
	DeleteConsumer(ctx context.Context, of Record) error
}
