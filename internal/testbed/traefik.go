package testbed

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Traefik is a gateway whose routes come from Consul: routers and services from the KV store below "traefik/", and a
// service "NAME@consulcatalog" for each service of the catalog, with no router of its own.
type Traefik struct {
	daemon *daemon
	web    int
	secure int
	stream int
}

// StartTraefik starts Traefik with the entry points "web", "websecure" and "stream" on free ports of the loopback, of which
// the first two are the default ones, and returns when it answers.
// A change in Consul is taken up within about 0.1 s.
func (b *Bed) StartTraefik(ctx context.Context, consul *Consul) (*Traefik, error) {
	program, err := Tool(ctx, "traefik")
	if err != nil {
		return nil, err
	}
	began := time.Now()
	endpoint := strings.TrimPrefix(consul.Address(), "http://")
	var traefik *Traefik
	err = b.serve(ctx, 3, func(ports []int) (*daemon, error) {
		traefik = &Traefik{web: ports[0], secure: ports[1], stream: ports[2]}
		traefik.daemon, err = b.spawn("traefik", b.logFile("traefik"), program,
			"--global.checknewversion=false", "--global.sendanonymoususage=false", "--log.level=WARN",
			fmt.Sprintf("--entrypoints.web.address=127.0.0.1:%d", ports[0]), "--entrypoints.web.asdefault=true",
			fmt.Sprintf("--entrypoints.websecure.address=127.0.0.1:%d", ports[1]), "--entrypoints.websecure.asdefault=true",
			fmt.Sprintf("--entrypoints.stream.address=127.0.0.1:%d", ports[2]),
			"--providers.providersthrottleduration=100ms",
			// A machine that died answers no connection at all; the default is 30s.
			"--serverstransport.forwardingtimeouts.dialtimeout=1s",
			"--providers.consul.rootkey=traefik", "--providers.consul.endpoints="+endpoint,
			"--providers.consulcatalog.endpoint.address="+endpoint, "--providers.consulcatalog.endpoint.scheme=http",
			"--providers.consulcatalog.watch=true", "--providers.consulcatalog.exposedbydefault=true",
			"--providers.consulcatalog.defaultrule=!PathPrefix(`/`)") // every path begins with it
		return traefik.daemon, err
	}, func(ctx context.Context) error { return traefik.answers(ctx) })
	if err != nil {
		return nil, err
	}
	b.logf("Traefik is up at %s after %.1f s", traefik.URL(), time.Since(began).Seconds())
	return traefik, nil
}

// URL returns the base URL of the entry point "web".
func (t *Traefik) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", t.web) }

// Secure returns the address of the entry point "websecure".
func (t *Traefik) Secure() string { return fmt.Sprintf("127.0.0.1:%d", t.secure) }

// StreamPort returns the port of the entry point "stream" on the loopback.
func (t *Traefik) StreamPort() int { return t.stream }

// Stop ends Traefik, after five seconds by force.
func (t *Traefik) Stop(ctx context.Context) { t.daemon.stop(ctx, stopGrace) }

// answers checks for Traefik's own answer to what no router takes.
func (t *Traefik) answers(ctx context.Context) error {
	_, status, err := get(ctx, http.DefaultClient, t.URL())
	if err == nil && status != http.StatusNotFound {
		err = fmt.Errorf("it answered with status %d, not 404", status)
	}
	return err
}
