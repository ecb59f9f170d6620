package testbed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strconv"
	"time"
)

const (
	serverLimit  = 30 * time.Second // for Consul and Traefik to be ready, on a busy machine too
	portAttempts = 3                // a free port may be taken by another before it is used
)

// Consul is a Consul agent that is server and client in one and keeps its data in memory.
type Consul struct {
	daemon    *daemon
	http, dns int
}

// StartConsul starts Consul on free ports of the loopback and returns when it has a leader.
func (b *Bed) StartConsul(ctx context.Context) (*Consul, error) {
	program, err := Tool(ctx, "consul")
	if err != nil {
		return nil, err
	}
	began := time.Now()
	var consul *Consul
	err = b.serve(ctx, 4, func(ports []int) (*daemon, error) {
		consul = &Consul{http: ports[0], dns: ports[1]}
		consul.daemon, err = b.spawn("consul", b.logFile("consul"),
			program, "agent", "-dev", "-node=consul", "-bind=127.0.0.1", "-client=127.0.0.1", "-log-level=warn",
			port("-http-port", ports[0]), port("-dns-port", ports[1]), port("-server-port", ports[2]), port("-serf-lan-port", ports[3]),
			"-serf-wan-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1", "-hcl=disable_update_check = true")
		return consul.daemon, err
	}, func(ctx context.Context) error { return consul.hasLeader(ctx) })
	if err != nil {
		return nil, err
	}
	b.logf("Consul is up at %s after %.1f s", consul.Address(), time.Since(began).Seconds())
	return consul, nil
}

func port(flag string, number int) string { return flag + "=" + strconv.Itoa(number) }

// Address returns the base URL of the HTTP API.
func (c *Consul) Address() string { return fmt.Sprintf("http://127.0.0.1:%d", c.http) }

// DNS returns the address at which Consul answers DNS, over UDP and TCP.
func (c *Consul) DNS() string { return fmt.Sprintf("127.0.0.1:%d", c.dns) }

// Stop ends Consul, after five seconds by force; all it knew is lost.
func (c *Consul) Stop(ctx context.Context) { c.daemon.stop(ctx, stopGrace) }

func (c *Consul) hasLeader(ctx context.Context) error {
	body, _, err := get(ctx, http.DefaultClient, c.Address()+"/v1/status/leader")
	if err != nil {
		return err
	}
	var leader string
	if err := json.Unmarshal(body, &leader); err != nil {
		return fmt.Errorf("read the leader from %q: %w", body, err)
	}
	if leader == "" {
		return errors.New("there is no leader")
	}
	return nil
}

// serve starts a server on free ports and waits until probe succeeds. A server that ends at once may have lost a port
// to another process, so it gets new ones and another try.
func (b *Bed) serve(ctx context.Context, ports int, start func([]int) (*daemon, error), probe func(context.Context) error) error {
	return b.serveFor(ctx, serverLimit, ports, start, probe)
}

// serveFor is serve for a server that may take that long.
func (b *Bed) serveFor(ctx context.Context, limit time.Duration, ports int, start func([]int) (*daemon, error), probe func(context.Context) error) error {
	var failure error
	for range portAttempts {
		free, err := freePorts(ctx, ports)
		if err != nil {
			return err
		}
		server, err := start(free)
		if err != nil {
			return err
		}
		if failure = server.ready(ctx, limit, probe); failure == nil {
			return nil
		}
		if !errors.Is(failure, errEnded) {
			server.kill()
			return failure
		}
	}
	return failure
}

// logFile returns where a server of the bed writes its output.
func (b *Bed) logFile(server string) string { return filepath.Join(b.Folder(), server+".log") }

// freePorts returns different ports of the loopback that are free for TCP and UDP now.
func freePorts(ctx context.Context, count int) (ports []int, err error) {
	var held []io.Closer // until all are found, so that they differ
	defer func() {
		for _, socket := range held {
			err = errors.Join(err, socket.Close())
		}
	}()
	var config net.ListenConfig
	for len(ports) < count {
		listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		held = append(held, listener)
		address, err := netip.ParseAddrPort(listener.Addr().String())
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		packets, err := config.ListenPacket(ctx, "udp", address.String())
		if err != nil {
			continue // free for TCP only
		}
		held = append(held, packets)
		ports = append(ports, int(address.Port()))
	}
	return ports, nil
}

// get reads a URL, and gives a server that hangs two seconds.
func get(ctx context.Context, client *http.Client, url string) (body []byte, status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return body, response.StatusCode, err
}
