package kong

import (
	"context"
	"fmt"
	"net/http"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	gokong "github.com/kong/go-kong/kong"
)

// Engine configures one Kong gateway. It is safe for concurrent use.
type Engine struct {
	admin *gokong.Client
	url   string
}

var _ gateway.Engine = (*Engine)(nil)

// New returns an engine for the gateway that config names. It does not connect: the first read or write does.
func New(config Config) (*Engine, error) {
	admin, err := gokong.NewClient(gokong.String(config.AdminURL), http.DefaultClient)
	if err != nil {
		return nil, fmt.Errorf("use %q as the address of Kong's Admin API: %w", config.AdminURL, err)
	}

	return &Engine{admin: admin, url: config.AdminURL}, nil
}

// Name returns "kong".
func (*Engine) Name() string { return "kong" }

// PutUpstream implements gateway.Engine.
func (e *Engine) PutUpstream(_ context.Context, upstream gateway.Upstream) error {
	return fmt.Errorf("put upstream %q: %w", upstream.Name, http.ErrNotSupported)
}

// Upstream implements gateway.Engine.
func (e *Engine) Upstream(_ context.Context, name string) (gateway.Upstream, error) {
	return gateway.Upstream{}, fmt.Errorf("read upstream %q: %w", name, http.ErrNotSupported)
}

// DeleteUpstream implements gateway.Engine.
func (e *Engine) DeleteUpstream(_ context.Context, name string) error {
	return fmt.Errorf("delete upstream %q: %w", name, http.ErrNotSupported)
}

// PutRoute implements gateway.Engine.
func (e *Engine) PutRoute(_ context.Context, route gateway.Route) error {
	return fmt.Errorf("put route %q: %w", route.Name, http.ErrNotSupported)
}

// Route implements gateway.Engine.
func (e *Engine) Route(_ context.Context, name string) (gateway.Route, error) {
	return gateway.Route{}, fmt.Errorf("read route %q: %w", name, http.ErrNotSupported)
}

// DeleteRoute implements gateway.Engine.
func (e *Engine) DeleteRoute(_ context.Context, name string) error {
	return fmt.Errorf("delete route %q: %w", name, http.ErrNotSupported)
}
