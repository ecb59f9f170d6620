package traefik

import (
	"context"
	"fmt"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

const (
	noConsumers = "Traefik has no consumers. Put user names and hashed passwords into a gateway_plugin of the type basicAuth or digestAuth " +
		"(config_wo = { users = [...] }), ask a service with one of the type forwardAuth, or use a Kong gateway."
	noCertificates = "Traefik would read the private key from Consul's key-value store, in the clear, for everybody who may read the gateway's keys. " +
		"Put the files on the gateways' machines (tls.certificates of Traefik's file provider), let Traefik get certificates itself " +
		"(certificatesResolvers), or use a Kong gateway."
)

// CheckConsumer says that there are none.
func (*Engine) CheckConsumer(gateway.Consumer) []gateway.Unsupported {
	return []gateway.Unsupported{{Attribute: "name", Reason: noConsumers}}
}

// PutConsumer refuses.
func (e *Engine) PutConsumer(_ context.Context, consumer gateway.Consumer) error {
	return gateway.Refusal("Traefik", e.CheckConsumer(consumer))
}

// Consumer finds none.
func (*Engine) Consumer(_ context.Context, name string) (gateway.Consumer, error) {
	return gateway.Consumer{}, fmt.Errorf("consumer %q in Traefik: %w", name, gateway.ErrNotFound)
}

// Consumers finds none.
func (*Engine) Consumers(context.Context) ([]gateway.Consumer, error) { return nil, nil }

// DeleteConsumer has nothing to do.
func (*Engine) DeleteConsumer(context.Context, gateway.Record) error { return nil }

// CheckCertificate says why there are none.
func (*Engine) CheckCertificate(gateway.Certificate) []gateway.Unsupported {
	return []gateway.Unsupported{{Attribute: "private_key_wo", Reason: noCertificates}}
}

// PutCertificate refuses.
func (e *Engine) PutCertificate(_ context.Context, certificate gateway.Certificate) error {
	return gateway.Refusal("Traefik", e.CheckCertificate(certificate))
}

// Certificate finds none.
func (*Engine) Certificate(_ context.Context, name string) (gateway.Certificate, error) {
	return gateway.Certificate{}, fmt.Errorf("certificate %q in Traefik: %w", name, gateway.ErrNotFound)
}

// Certificates finds none.
func (*Engine) Certificates(context.Context) ([]gateway.Certificate, error) { return nil, nil }

// DeleteCertificate has nothing to do.
func (*Engine) DeleteCertificate(context.Context, gateway.Record) error { return nil }
