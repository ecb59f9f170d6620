// Package gateway holds the words that both gateway engines share: what a route and an upstream are, and the small
// interface that Kong and Traefik each stand behind. It knows no engine and no network.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNotFound is what an Engine's reads return when the named object does not exist. It is the only error that may
	// remove a resource from state.
	ErrNotFound = errors.New("not found")

	// ErrAway wraps the errors of a gateway that did not answer, or not as one that works: it may be back shortly, and
	// the same call may be made again.
	ErrAway = errors.New("the gateway does not answer")
)

// Away makes an error one that is ErrAway, in its own words.
func Away(err error) error { return awayError{err} }

type awayError struct{ error }

// Unwrap implements errors.Unwrap.
func (e awayError) Unwrap() []error { return []error{ErrAway, e.error} }

// Record is what every object has beside what it is for.
type Record struct {
	Name string

	// Foreign says of an object that was read that this provider did not make it. A put or a delete leaves such an object
	// alone with a *ForeignError, unless the record that is put says Foreign, too: then its user has imported it.
	Foreign bool

	// Altered says of an object of ours that was read that somebody changed in the gateway what no field of the object
	// shows. A put sets it right.
	Altered bool

	// Partial says of an object that was read that its making was interrupted. The next put completes it.
	Partial bool

	// Note is kept with the object and given back; the gateway makes nothing of it.
	Note string
}

// Upstreams configures where traffic goes.
type Upstreams interface {
	CheckUpstream(upstream Upstream) []Unsupported
	PutUpstream(ctx context.Context, upstream Upstream) error
	Upstream(ctx context.Context, name string) (Upstream, error)
	Upstreams(ctx context.Context) ([]Upstream, error)
	DeleteUpstream(ctx context.Context, of Record) error
}

// Routes configures which traffic goes where.
type Routes interface {
	CheckRoute(route Route) []Unsupported
	PutRoute(ctx context.Context, route Route) error
	Route(ctx context.Context, name string) (Route, error)
	Routes(ctx context.Context) ([]Route, error)
	DeleteRoute(ctx context.Context, of Record) error
}

// Engine is a gateway that can be configured. A check tells, without asking the gateway, what it cannot do. A put
// creates or replaces as a whole: whoever reads the gateway's configuration meanwhile finds it either as before or with
// receivers for all traffic, and a put that was cut short is completed by the next one. A delete of something that is not
// there succeeds. Reads are served from one bulk read that all share.
type Engine interface {
	// Name is the engine's name as it stands in the provider block: "kong" or "traefik".
	Name() string

	Upstreams
	Routes
	Plugins
	Consumers
	Certificates
}

// Unsupported is a wish that an engine cannot fulfil.
type Unsupported struct {
	Attribute string // where it stands in the resource, such as "balance.algorithm"
	Reason    string // whole sentences: why not, and what to do instead
}

// Refusal joins wishes that an engine cannot fulfil to one error, or none.
func Refusal(engine string, all []Unsupported) error {
	if len(all) == 0 {
		return nil
	}

	reasons := make([]string, 0, len(all))
	for _, one := range all {
		reasons = append(reasons, one.Attribute+": "+one.Reason)
	}

	return fmt.Errorf("%s cannot do this: %s", engine, strings.Join(reasons, " "))
}

// ForeignError says that an object of the name exists that this provider did not make.
type ForeignError struct {
	What string // in the engine's words: `Kong service "up"`
}

func (e *ForeignError) Error() string {
	return e.What + " was not made by this provider, and nothing was changed. If it is to be managed here, remove the resource from the " +
		"state (terraform state rm) and import it; otherwise choose another name"
}
