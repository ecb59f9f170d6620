// Package kong configures a Kong gateway (open source, 3.x, with a database) through its Admin API.
//
// An upstream is three kinds of Kong entities: an upstream, its targets, and a service of the same name whose host is
// the upstream. A route is a Kong route. Names are identity. Only what is written here is compared with Kong, so what
// Kong fills in never shows.
package kong

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/kong/go-kong/kong"
)

// Engine configures one Kong gateway. It is safe for concurrent use.
//
// A member of Upstream.Services becomes the target <name>.service.consul, which Kong resolves through Consul's DNS
// (dns_resolver in Kong's configuration). Kong takes the port from the SRV record, and then the weight from there too.
//
// Kong's proxies take a change over some 5 s after it was written (worker_state_update_frequency).
type Engine struct {
	admin     *kong.Client
	address   string // of the Admin API, without a password
	workspace string

	bulk  *bulk
	wrote atomic.Bool
	about *shared[edition]

	plugins      *collection[pluginRow]
	consumers    *collection[consumerRow]
	groups       *collection[groupRow]
	credentials  map[string]*collection[credentialRow] // by kind
	certificates *collection[certificateRow]
	authorities  *collection[authorityRow]

	authorityTurn sync.RWMutex // held for reading from when authorities are made until a service refers to them
}

var _ gateway.Engine = (*Engine)(nil)

// Name is "kong".
func (*Engine) Name() string { return "kong" }

// reader answers from one bulk read that all share. After the first write it asks Kong for each entity: a list of
// everything per entity would make an apply slower with the square of its size.
func (e *Engine) reader() reader {
	if e.wrote.Load() {
		return direct{e}
	}

	return e.bulk
}

// write sends a change. From then on, shared reads are no longer trusted.
func (e *Engine) write(ctx context.Context, method, path string, body any) error {
	e.wrote.Store(true)

	return e.send(ctx, method, path, body, nil)
}

// send makes one request and decodes the answer into a pointer, unless that is nil.
func (e *Engine) send(ctx context.Context, method, path string, body, into any) error {
	if e.workspace != "" && path != "/" { // an open source Kong would say of everything below it that it is not there
		if err := e.supported(ctx); err != nil {
			return err
		}
	}

	request, err := e.admin.NewRequest(method, path, nil, body)
	if err != nil {
		return err
	}
	_, err = e.admin.Do(ctx, request, into)

	return err
}

// remove deletes an entity. One that is not there is fine.
func (e *Engine) remove(ctx context.Context, path string) error {
	if err := e.write(ctx, http.MethodDelete, path, nil); err != nil && !isMissing(err) {
		return err
	}

	return nil
}

// at is the path of an entity: collections and names in turn.
func at(parts ...string) string {
	var path strings.Builder
	for _, part := range parts {
		path.WriteString("/" + url.PathEscape(part))
	}

	return path.String()
}

// is says whether an optional field of Kong's has a value.
func is[T comparable](field *T, value T) bool { return field != nil && *field == value }

func or[T any](field *T, missing T) T {
	if field == nil {
		return missing
	}

	return *field
}

func texts(list []*string) []string {
	var texts []string
	for _, text := range list {
		texts = append(texts, or(text, ""))
	}

	return texts
}
