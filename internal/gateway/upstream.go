package gateway

import "time"

// Protocols that a gateway speaks to the members of an upstream.
const (
	HTTP  = "http"
	HTTPS = "https"
	TCP   = "tcp"
	TLS   = "tls"
)

// Algorithms of balancing.
const (
	RoundRobin        = "round_robin"
	LeastConnections  = "least_connections"
	ConsistentHashing = "consistent_hashing"
	Latency           = "latency"
)

// What consistent hashing is by.
const (
	ByHeader  = "header"
	ByCookie  = "cookie"
	ByAddress = "address"
	ByPath    = "path"
)

// Time-outs that hold where an upstream says nothing. They serve fast failover: a machine that has gone is given up
// after two seconds and another one is tried. Kong's own limit to connect is 60 s, Traefik's 30 s.
const (
	DefaultConnectTimeout = 2 * time.Second
	DefaultReadTimeout    = 60 * time.Second
	DefaultWriteTimeout   = 60 * time.Second
)

// DefaultWindow is how long Traefik sends nothing to a member that failed.
const DefaultWindow = 10 * time.Second

// Upstream is where traffic goes. Either Services or Targets is set, never both.
type Upstream struct {
	Record

	Services map[string]Member // by the name of a Consul service
	Targets  map[string]Member // by "address:port"
	Protocol string            // one of HTTP, HTTPS, TCP and TLS
	Balance  Balance
	Health   *HealthCheck   // nil for none
	Passive  *PassiveHealth // nil for none
	Timeouts Timeouts
	Retries  int // further attempts after a connection that failed; 0 turns them off, Unsaid stands for the default
	TLS      TLSClient
}

// Unsaid is the number of retries of an upstream that leaves it to the gateway: DefaultRetries for requests.
const (
	Unsaid         = -1
	DefaultRetries = 2
)

// DefaultWeight is a member's weight where nobody says otherwise.
const DefaultWeight = 100

// Member is one receiver of an upstream's traffic.
type Member struct {
	Weight int // share of the traffic relative to the other members; 0 receives nothing
}

// Balance is how traffic is spread over members, beside their weights.
type Balance struct {
	Algorithm string
	HashOn    string // for ConsistentHashing
	HashName  string // of the header or the cookie
}

// HealthCheck asks each member by itself: by a request where the protocol is HTTP or HTTPS, by a connection otherwise.
type HealthCheck struct {
	Path           string // of the request
	Status         int    // the only answer that is healthy
	Interval       time.Duration
	Timeout        time.Duration
	HealthyAfter   int // answers in a row until a member counts as healthy
	UnhealthyAfter int // failures in a row until it no longer does
}

// PassiveHealth watches the requests that pass through. Failures are connections that fail and answers from 500.
type PassiveHealth struct {
	Failures int           // in a row until a member receives nothing more
	Window   time.Duration // in which they count, and for which a member then receives nothing; 0 for the engine's way
}

// Timeouts of the connections to members; 0 stands for the default.
type Timeouts struct {
	Connect time.Duration
	Read    time.Duration // until the answer begins, and on Kong also between two reads
	Write   time.Duration // between two writes
}

// TLSClient is how members are recognised where the protocol is HTTPS or TLS.
type TLSClient struct {
	SkipVerify bool
	ServerName string // that the certificate must have, and that is asked for
	CA         string // PEM certificates that the member's is verified against; empty for the gateway's own
}

// Stream reports whether the upstream is for connections and not for requests.
func (u Upstream) Stream() bool { return u.Protocol == TCP || u.Protocol == TLS }

// Complete fills in what an upstream that says little means.
func (u Upstream) Complete() Upstream {
	if u.Protocol == "" {
		u.Protocol = HTTP
	}

	if u.Balance.Algorithm == "" {
		u.Balance.Algorithm = RoundRobin
	}

	return u
}
