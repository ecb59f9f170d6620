package traefik

import (
	"context"
	"errors"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// Engine configures every Traefik that follows the same keys in Consul. It is safe for concurrent use.
type Engine struct {
	config Config
	consul *catalog.Client
}

var _ gateway.Engine = (*Engine)(nil)

// New makes an engine that writes through the given client. It sends nothing.
func New(config Config, consul *catalog.Client) *Engine {
	return &Engine{config: config, consul: consul}
}

// Name is "traefik".
func (e *Engine) Name() string { return "traefik" }

var errUnbuilt = errors.New("not built yet")

// PutUpstream is being built.
func (e *Engine) PutUpstream(context.Context, gateway.Upstream) error { return errUnbuilt }

// Upstream is being built.
func (e *Engine) Upstream(context.Context, string) (gateway.Upstream, error) {
	return gateway.Upstream{}, errUnbuilt
}

// DeleteUpstream is being built.
func (e *Engine) DeleteUpstream(context.Context, string) error { return errUnbuilt }

// PutRoute is being built.
func (e *Engine) PutRoute(context.Context, gateway.Route) error { return errUnbuilt }

// Route is being built.
func (e *Engine) Route(context.Context, string) (gateway.Route, error) {
	return gateway.Route{}, errUnbuilt
}

// DeleteRoute is being built.
func (e *Engine) DeleteRoute(context.Context, string) error { return errUnbuilt }
