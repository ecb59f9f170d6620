// Package backend holds the clients that the provider block configures. Each is made on first use, so that a plan
// which needs no gateway asks none, and a host that is down fails its own resources only.
package backend

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/traefik"
)

// ErrNoGateway is what Gateway returns if the provider block names none.
var ErrNoGateway = errors.New("the provider block names no gateway. Add gateway = { traefik = {} } or gateway = { kong = { admin_url = \"...\" } } to it")

// Config is what the provider block says. At most one of Kong and Traefik is set.
type Config struct {
	Hosts   map[string]libvirt.Config // by the name that resources use
	Consul  catalog.Config
	Kong    *kong.Config
	Traefik *traefik.Config
}

// Backend is the set of configured clients. It is safe for concurrent use.
type Backend struct {
	hosts   map[string]*libvirt.Host
	consul  func() (*catalog.Client, error)
	gateway func() (gateway.Engine, error)

	gatewayAnswered atomic.Bool
	gatewayPatience time.Duration
}

// New makes the clients' holder. It reaches nothing.
func New(config Config) *Backend {
	b := &Backend{hosts: make(map[string]*libvirt.Host, len(config.Hosts))}

	for name, host := range config.Hosts {
		b.hosts[name] = libvirt.NewHost(name, host)
	}

	if config.Traefik != nil {
		b.gatewayPatience = cmp.Or(config.Consul.Timeout, catalog.DefaultPatience)
	}

	b.consul = sync.OnceValues(func() (*catalog.Client, error) { return catalog.New(config.Consul) })
	b.gateway = sync.OnceValues(func() (gateway.Engine, error) { return b.newGateway(config) })

	return b
}

func (b *Backend) newGateway(config Config) (gateway.Engine, error) {
	switch {
	case config.Kong != nil:
		return kong.New(*config.Kong)
	case config.Traefik != nil:
		consul, err := b.consul()
		if err != nil {
			return nil, err
		}

		return traefik.New(*config.Traefik, consul), nil
	default:
		return nil, ErrNoGateway
	}
}

// Host returns the client of a host by the name it has in the provider block.
func (b *Backend) Host(name string) (*libvirt.Host, error) {
	if host, found := b.hosts[name]; found {
		return host, nil
	}

	if len(b.hosts) == 0 {
		return nil, fmt.Errorf("the provider block has no host %q. It names no hosts at all: add hosts = { %s = { uri = \"qemu+ssh://root@...\" } } to it", name, name)
	}

	return nil, fmt.Errorf("the provider block has no host %q. It has %s: use one of these names, or add the host there. What stood on a host that is gone leaves the state by \"terraform state rm\"", name, strings.Join(b.HostNames(), ", "))
}

// HostNames returns the configured hosts' names in order.
func (b *Backend) HostNames() []string { return slices.Sorted(maps.Keys(b.hosts)) }

// Consul returns Consul's client.
func (b *Backend) Consul() (*catalog.Client, error) { return b.consul() }

// Gateway returns the configured gateway engine, or ErrNoGateway.
func (b *Backend) Gateway() (gateway.Engine, error) { return b.gateway() }

// GatewayAnswered holds whether the gateway has answered anybody since the provider was configured.
func (b *Backend) GatewayAnswered() *atomic.Bool { return &b.gatewayAnswered }

// GatewayPatience is how long an apply waits for a gateway that never answered: as long as for Consul, if it is
// configured through that.
func (b *Backend) GatewayPatience() time.Duration { return b.gatewayPatience }

// From takes the backend out of what Configure hands to a resource or data source. It returns nil before the provider
// is configured, as in a validation.
func From(providerData any) *Backend {
	b, _ := providerData.(*Backend)

	return b
}
