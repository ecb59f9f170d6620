package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"golang.org/x/sync/errgroup"
)

const (
	services  = 1000
	instances = 10 // of each service, on a node each

	// parallel is how many resources Terraform works on at a time.
	parallel = 10
)

//go:embed services.tf
var servicesTF string

// serving compares reading and making services with a provider that does nothing, and with one request after another.
type serving struct {
	*stage

	consul        *testbed.Consul
	folder        string
	requests      atomic.Int64
	proxy         *httptest.Server // before Consul, for our provider
	ours, nothing workspace
}

func setUpServices(ctx context.Context, on *stage) (round, error) {
	s := &serving{stage: on}

	bed, err := s.bed(ctx)
	if err != nil {
		return nil, err
	}

	if s.consul, err = bed.StartConsul(ctx); err != nil {
		return nil, err
	}

	s.folder = filepath.Join(bed.Folder(), "workspaces")

	target, err := url.Parse(s.consul.Address())
	if err != nil {
		return nil, err
	}

	forward := httputil.NewSingleHostReverseProxy(target)
	s.proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		forward.ServeHTTP(w, r)
	}))

	if err := s.makeWorkspaces(ctx); err != nil {
		return nil, err
	}

	return s.round, s.check(ctx)
}

// served is an instance of a service.
type served struct{ id, service, node string }

// declared are all instances in the order in which the configuration counts them.
func declared(of int) []served {
	all := make([]served, 0, services*of)

	for service := range services {
		for instance := range of {
			all = append(all, served{
				id: fmt.Sprintf("service-%d-%d", service, instance), service: fmt.Sprintf("service-%d", service), node: fmt.Sprintf("node-%d", instance),
			})
		}
	}

	return all
}

func (s *serving) workspace(ctx context.Context, name, provider, address string, of int) (workspace, error) {
	return newWorkspace(ctx, filepath.Join(s.folder, name), provider, servicesTF, map[string]any{"address": address, "services": services, "instances": of})
}

// makeWorkspaces makes a state of all instances from that of one: Terraform writes the whole state after each resource, so
// that it would take it an hour.
func (s *serving) makeWorkspaces(ctx context.Context) (err error) {
	s.logf("services: building the providers")

	if s.ours, err = s.workspace(ctx, "ours", "", s.proxy.URL, instances); err != nil {
		return err
	}

	if s.nothing, err = s.workspace(ctx, "nothing", "/tools/bench/nothing", s.consul.Address(), instances); err != nil {
		return err
	}

	if _, _, err = s.ours.run(ctx, "apply", "-json", "-auto-approve", "-input=false", "-target", "consul_service.instance[0]"); err != nil {
		return err
	}

	s.logf("services: registering %d instances", services*instances)

	if err := multiply(filepath.Join(s.ours.folder, "terraform.tfstate"), declared(instances)); err != nil {
		return err
	}

	if err := s.register(ctx, s.consul.Address(), declared(instances), many); err != nil {
		return err
	}

	return s.nothing.copyState(s.ours)
}

// multiply makes a state with one instance one with all.
func multiply(path string, all []served) error {
	return replicate(path, slices.All(all), func(number int, like served, one string) (any, error) {
		var instance map[string]any

		err := json.Unmarshal([]byte(one), &instance)
		instance["index_key"] = number

		for name, value := range map[string]string{"id": like.id, "name": like.service, "node": like.node, "owner": "bench"} {
			instance["attributes"].(map[string]any)[name] = value //nolint:forcetypeassert // the state's format, or the benchmark is wrong
		}

		if identity, ok := instance["identity"].(map[string]any); ok {
			identity["id"], identity["node"] = like.id, like.node
		}

		return instance, err
	})
}

// register registers instances as the provider does, so many at a time.
func (s *serving) register(ctx context.Context, address string, all []served, workers int) error {
	client, err := catalog.New(catalog.Config{Address: address})
	if err != nil {
		return err
	}

	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)

	for _, one := range all {
		service := serviceOf(one)
		group.Go(func() error {
			err := client.Register(ctx, service)
			if errors.Is(err, catalog.ErrTaken) { // the one that Terraform made
				service.Force = true
				err = client.Register(ctx, service)
			}

			return err
		})
	}

	return group.Wait()
}

func serviceOf(one served) catalog.Service {
	return catalog.Service{
		Identity: catalog.Identity{Node: one.node, Name: one.service, ID: one.id},
		Mark:     catalog.Mark{Owner: "bench"}, Address: "10.0.0.1", Port: 8080, Tags: []string{"v1"},
		Weights: catalog.Weights{Passing: 1, Warning: 1},
		Checks: map[string]catalog.Check{"health": {
			HTTP: "http://10.0.0.1:8080/health", Interval: 10 * time.Second, Timeout: 2 * time.Second, Status: "passing",
		}},
	}
}

// check makes sure that the rounds will compare what they should: when an instance changes behind Terraform's back, our
// provider sees it and the other does not.
func (s *serving) check(ctx context.Context) error {
	changed := serviceOf(declared(1)[0])
	changed.Port = 9

	client, err := catalog.New(catalog.Config{Address: s.consul.Address()})
	if err != nil {
		return err
	}

	if err := client.Update(ctx, changed); err != nil {
		return err
	}

	for in, drifted := range map[workspace]int{s.ours: 1, s.nothing: 0} {
		all, _, err := in.run(ctx, "plan", "-json", "-refresh-only", "-input=false") // with -target it takes minutes more of Terraform's
		if err != nil {
			return err
		}

		if found := all.count("resource_drift"); found != drifted {
			return fmt.Errorf("check that our provider reads and the other does nothing: of one change Terraform found %d, and should have found %d", found, drifted)
		}
	}

	changed.Port = 8080

	return client.Update(ctx, changed)
}

func (s *serving) refresh(ctx context.Context, in workspace, changed int) (cost, error) {
	read, drifted, spent, err := in.refresh(ctx)
	if err == nil && (read != services*instances || drifted != changed) {
		err = fmt.Errorf("refresh %d instances of which %d changed: Terraform read %d and found %d changed", services*instances, changed, read, drifted)
	}

	return spent, err
}

func (s *serving) round(ctx context.Context, number int) error {
	spent := map[workspace]cost{}

	turns := []workspace{s.ours, s.nothing}
	if number%2 == 1 {
		slices.Reverse(turns)
	}

	s.requests.Store(0)

	for _, turn := range turns {
		took, err := s.refresh(ctx, turn, 0)
		if err != nil {
			return err
		}

		spent[turn] = took
	}

	ours, nothing := spent[s.ours].wall.Seconds(), spent[s.nothing].wall.Seconds()
	prefix := fmt.Sprintf("refresh_%d_services_of_%d", services, instances)
	s.record(prefix+"_seconds", ours, seconds)
	s.record(prefix+"_nothing_seconds", nothing, seconds)
	s.record(prefix+"_ratio", ours/nothing, times)
	s.record(prefix+"_cpu_ratio", spent[s.ours].cpu.Seconds()/spent[s.nothing].cpu.Seconds(), times)
	s.record(fmt.Sprintf("refresh_%d_services_requests", services), float64(s.requests.Load()), count)

	return s.make(ctx, number)
}
