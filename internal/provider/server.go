package provider

import (
	"context"
	"sync/atomic"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/shortcut"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// sharedClients are the configured clients, once there are.
type sharedClients struct {
	atomic.Pointer[backend.Backend]
}

// data is what resources are configured with, nil before the provider is.
func (s *sharedClients) data() any {
	if clients := s.Load(); clients != nil {
		return clients
	}

	return nil
}

// Server makes the server's factory; version is as for New.
func Server(version string) func() tfprotov6.ProviderServer {
	return func() tfprotov6.ProviderServer {
		p := hypervisorProvider{version: version, clients: &sharedClients{}}

		long, ok := providerserver.NewProtocol6(p)().(shortcut.Full)
		if !ok {
			panic("the framework's server lacks a part of the protocol") // its types are fixed when the provider is built
		}

		ctx := context.Background()

		return shortcut.New(ctx, whereabouts{long}, p.Resources(ctx), p.clients.data)
	}
}
