package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/traefik"
)

const (
	routes = 1000

	// atOnce is how many resources Terraform makes at the same time.
	atOnce = 10

	// latency is added to each request to Kong where writing one by one is compared with writing together: on the loopback, and
	// to one without a database, a request costs less than it does anywhere else. Consul's is its distance.
	latency = 2 * time.Millisecond
)

//go:embed gateways.tf
var gatewaysTF string

// routing compares reading the routes of a gateway by our provider with a provider that does nothing, and writing them
// together with writing them one by one.
type routing struct {
	*stage

	consul  *testbed.Consul
	engines []*routed
}

// routed is a gateway with its configuration in Terraform.
type routed struct {
	name          string
	front         *front
	ours, nothing workspace
	engine        func(address string) (gateway.Engine, error) // on an empty gateway behind the address
	delay         time.Duration                                // of each request that writes
}

func setUpGateways(ctx context.Context, on *stage) (round, error) {
	r := &routing{stage: on}

	bed, err := r.bed(ctx)
	if err != nil {
		return nil, err
	}

	if r.consul, err = bed.StartConsul(ctx); err != nil {
		return nil, err
	}

	r.engines = []*routed{{name: "traefik", engine: newTraefik, delay: distance}, {name: "kong", engine: newKong, delay: latency}}

	for _, engine := range r.engines {
		if err := r.fill(ctx, bed, engine); err != nil {
			return nil, err
		}
	}

	return r.round, nil
}

func newTraefik(address string) (gateway.Engine, error) {
	client, err := catalog.New(catalog.Config{Address: address})
	if err != nil {
		return nil, err
	}

	return traefik.New(traefik.Config{KeyPrefix: "bench"}, client), nil
}

func newKong(address string) (gateway.Engine, error) { return kong.New(kong.Config{AdminURL: address}) }

// fill makes the routes by Terraform.
func (r *routing) fill(ctx context.Context, bed *testbed.Bed, engine *routed) error {
	backend, err := r.backend(engine.name)
	if err != nil {
		return err
	}

	engine.front = newFront(backend)
	variables := map[string]any{"consul": engine.front.URL, "routes": routes}

	if engine.name == "kong" {
		variables["kong"] = engine.front.URL
	}

	folder := filepath.Join(bed.Folder(), "workspaces", engine.name)
	if engine.ours, err = newWorkspace(ctx, filepath.Join(folder, "ours"), "", gatewaysTF, variables); err != nil {
		return err
	}

	if engine.nothing, err = newWorkspace(ctx, filepath.Join(folder, "nothing"), "/tools/bench/nothing", gatewaysTF, variables); err != nil {
		return err
	}

	r.logf("gateways: making %d routes on %s", routes, engine.name)

	spent, err := engine.ours.apply(ctx)
	if err != nil {
		return err
	}

	r.record(engine.figure("apply_%d_routes_%s_seconds"), spent.wall.Seconds(), seconds)
	r.record(engine.figure("apply_%d_routes_%s_requests"), float64(engine.front.taken()), calls)

	return engine.nothing.copyState(engine.ours)
}

func (e *routed) figure(format string) string { return fmt.Sprintf(format, routes, e.name) }

// backend is what stands behind an engine: Consul, or a Kong with a memory.
func (r *routing) backend(engine string) (http.Handler, error) {
	if engine == "kong" {
		return kongtest.New(leaving{}), nil
	}

	target, err := url.Parse(r.consul.Address())
	if err != nil {
		return nil, err
	}

	return httputil.NewSingleHostReverseProxy(target), nil
}

// leaving leaves what a fake holds to the end of the process.
type leaving struct{}

func (leaving) Helper() {}

func (leaving) Cleanup(func()) {}

// front is a server before a gateway's that counts requests and delays them.
type front struct {
	*httptest.Server

	count atomic.Int64
	delay time.Duration
}

func newFront(behind http.Handler) *front {
	f := &front{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.count.Add(1)

		if f.delay > 0 {
			<-time.After(f.delay)
		}

		behind.ServeHTTP(w, r)
	}))

	return f
}

// taken returns the number of requests since it was asked for the last time.
func (f *front) taken() int64 { return f.count.Swap(0) }

// round refreshes with both providers, one directly after the other so that what disturbs the machine disturbs both.
func (r *routing) round(ctx context.Context, number int) error {
	for _, engine := range r.engines {
		spent := map[workspace]cost{}

		turns := []workspace{engine.ours, engine.nothing}
		if number%2 == 1 {
			slices.Reverse(turns)
		}

		for _, turn := range turns {
			read, drifted, took, err := turn.refresh(ctx)
			if err != nil {
				return err
			}

			if read != 2*routes || drifted != 0 {
				return fmt.Errorf("refresh %d resources: Terraform read %d and found %d changed", 2*routes, read, drifted)
			}

			spent[turn] = took
		}

		ours, nothing := spent[engine.ours], spent[engine.nothing]

		r.record(engine.figure("refresh_%d_routes_%s_seconds"), ours.wall.Seconds(), seconds)
		r.record(engine.figure("refresh_%d_routes_%s_nothing_seconds"), nothing.wall.Seconds(), seconds)
		r.record(engine.figure("refresh_%d_routes_%s_ratio"), ours.wall.Seconds()/nothing.wall.Seconds(), times)
		r.record(engine.figure("refresh_%d_routes_%s_cpu_ratio"), ours.cpu.Seconds()/nothing.cpu.Seconds(), times)
		r.record(engine.figure("refresh_%d_routes_%s_requests"), float64(engine.front.taken()), calls)

		if err := r.write(ctx, engine); err != nil {
			return err
		}
	}

	return nil
}

// write makes all routes one by one and then as many at once as Terraform does, each time from nothing.
func (r *routing) write(ctx context.Context, engine *routed) error {
	var spent [2]time.Duration

	for turn, workers := range []int{1, atOnce} {
		backend, err := r.backend(engine.name)
		if err != nil {
			return err
		}

		empty := newFront(backend)
		empty.delay = engine.delay

		took, err := put(ctx, engine, empty.URL, workers)
		if err != nil {
			return err
		}

		spent[turn] = took
		r.record(engine.figure([]string{"write_%d_routes_%s_one_by_one", "write_%d_routes_%s_together"}[turn])+"_requests", float64(empty.taken()), calls)
		empty.Close()
	}

	r.record(engine.figure("write_%d_routes_%s_one_by_one_seconds"), spent[0].Seconds(), seconds)
	r.record(engine.figure("write_%d_routes_%s_together_seconds"), spent[1].Seconds(), seconds)
	r.record(engine.figure("write_%d_routes_%s_ratio"), spent[0].Seconds()/spent[1].Seconds(), times)

	return nil
}

// put writes the upstreams and their routes, and removes them again. Only the writing counts.
func put(ctx context.Context, engine *routed, address string, workers int) (time.Duration, error) {
	writer, err := engine.engine(address)
	if err != nil {
		return 0, err
	}

	began := time.Now()
	err = each(workers, func(number int) error {
		record := gateway.Record{Name: fmt.Sprintf("up-%d", number)}

		return writer.PutUpstream(ctx, gateway.Upstream{Record: record, Services: map[string]gateway.Member{"web": {Weight: 1}}, Retries: gateway.Unsaid})
	})
	err = errors.Join(err, each(workers, func(number int) error {
		record := gateway.Record{Name: fmt.Sprintf("route-%d", number)}

		return writer.PutRoute(ctx, gateway.Route{Record: record, Hosts: []string{fmt.Sprintf("%d.example.com", number)}, Upstream: fmt.Sprintf("up-%d", number)})
	}))
	took := time.Since(began)

	err = errors.Join(err, each(atOnce, func(number int) error {
		return writer.DeleteRoute(ctx, gateway.Record{Name: fmt.Sprintf("route-%d", number)})
	}))

	return took, errors.Join(err, each(atOnce, func(number int) error {
		return writer.DeleteUpstream(ctx, gateway.Record{Name: fmt.Sprintf("up-%d", number)})
	}))
}

// each calls do for every route, by so many at once.
func each(workers int, do func(number int) error) error {
	var (
		next   atomic.Int64
		group  sync.WaitGroup
		mu     sync.Mutex
		failed error
	)

	for range workers {
		group.Go(func() {
			for {
				number := int(next.Add(1)) - 1
				if number >= routes {
					return
				}

				if err := do(number); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}

	group.Wait()

	return failed
}
