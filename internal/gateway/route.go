package gateway

import (
	"regexp"
	"strings"
)

// TLSPassthrough is the protocol of routes that pass a TLS connection on unread. The others are those of upstreams.
const TLSPassthrough = "tls_passthrough"

// AllBelow begins a host that stands for all those below what follows.
const AllBelow = "*"

// Route sends the requests or connections that match it to an upstream. They match if they have one of the values of
// each list that is not empty; Paths, ExactPaths and PathPatterns count as one list.
//
// Of several routes that match, the highest Priority wins; among equals one with more kinds of conditions (hosts, paths,
// methods, headers), then exact paths and patterns before prefixes, then the longer path.
type Route struct {
	Record

	Protocol      string              // HTTP for all requests, HTTPS for encrypted ones, TCP, TLS or TLSPassthrough for connections
	Hosts         []string            // host names, without a port; "*.example.com" for all below
	Paths         []string            // path prefixes, each beginning with "/"
	ExactPaths    []string            // whole paths
	PathPatterns  []string            // regular expressions for the beginning of a path
	Methods       []string            // in capitals
	Headers       map[string][]string // one of the values, whatever their case, for each header
	SNIs          []string            // server names that a TLS connection asks for
	Ports         []int               // of the gateway
	Priority      int
	StripPath     bool // removes what matched of Paths before the request is passed on
	RewriteHost   bool // replaces the request's Host header by the member's name
	RedirectHTTPS bool // answers unencrypted requests with the address of the encrypted one
	Upstream      string
}

// Stream reports whether the route is for connections and not for requests.
func (r Route) Stream() bool {
	return r.Protocol == TCP || r.Protocol == TLS || r.Protocol == TLSPassthrough
}

// Complete fills in what a route that says little means.
func (r Route) Complete() Route {
	if r.Protocol == "" {
		r.Protocol = HTTP
	}

	return r
}

// Literal returns the text that a regular expression stands for, if it stands for one text only.
func Literal(pattern string) (text string, only bool) {
	var plain strings.Builder

	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}

		plain.WriteByte(pattern[i])
	}

	return plain.String(), regexp.QuoteMeta(plain.String()) == pattern
}
