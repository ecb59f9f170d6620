package gateway

import "context"

// Certificate is what the gateway shows to clients that ask for one of its server names.
type Certificate struct {
	Record

	Chain   string   // certificates in PEM, the server's own first
	Key     string   // in PEM; what is read has none
	Version int64    // counts the keys, so that a new one is known as such; 0 if it is not known
	SNIs    []string // server names, perhaps with a wildcard as the first or the last label
}

// Certificates configures what the gateway proves itself with.
type Certificates interface {
	CheckCertificate(certificate Certificate) []Unsupported
	PutCertificate(ctx context.Context, certificate Certificate) error
	// Certificate reads a certificate by its name or, of one that has none, by its id or one of its server names.
	Certificate(ctx context.Context, name string) (Certificate, error)
	Certificates(ctx context.Context) ([]Certificate, error)
	DeleteCertificate(ctx context.Context, of Record) error
}
