package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"
)

// distance is what an answer takes longer from a Consul that is not on the same machine, or whose three servers write to
// disks before they answer.
const distance = 10 * time.Millisecond

// many is what Terraform works on at a time if it is told to (-parallelism).
const many = 100

// distant is an empty Consul that is some way off, and counts requests.
type distant struct {
	address  string
	requests atomic.Int64
	close    func()
}

func (s *serving) distant(ctx context.Context) (*distant, error) {
	bed, err := s.bed(ctx)
	if err != nil {
		return nil, err
	}

	consul, err := bed.StartConsul(ctx)
	if err != nil {
		return nil, err
	}

	target, err := url.Parse(consul.Address())
	if err != nil {
		return nil, err
	}

	d := &distant{}
	forward := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.requests.Add(1)

		select {
		case <-time.After(distance):
		case <-r.Context().Done():
		}

		forward.ServeHTTP(w, r)
	}))

	d.address = server.URL
	d.close = func() {
		server.Close()
		consul.Stop(context.WithoutCancel(ctx))
	}

	return d, nil
}

// make makes all services from nothing, with one instance each: one request after another, as the provider does, and by
// Terraform.
func (s *serving) make(ctx context.Context, number int) error {
	name := func(format string) string { return fmt.Sprintf(format, services) }

	one, err := s.timed(ctx, "", func(to *distant) error { return registerOneByOne(ctx, to.address) })
	if err != nil {
		return err
	}

	s.record(name("make_%d_services_one_by_one_seconds"), one.Seconds(), seconds)

	for suffix, workers := range map[string]int{"": parallel, "_100_at_once": many} {
		together, err := s.timed(ctx, name("make_%d_services")+suffix+"_requests", func(to *distant) error {
			return s.register(ctx, to.address, declared(1), workers)
		})
		if err != nil {
			return err
		}

		s.record(name("make_%d_services")+suffix+"_seconds", together.Seconds(), seconds)
		s.record(name("make_%d_services")+suffix+"_speedup_ratio", one.Seconds()/together.Seconds(), times)
	}

	_, err = s.timed(ctx, name("apply_%d_services_requests"), func(to *distant) error {
		made, err := s.workspace(ctx, fmt.Sprintf("made-%d", number), "", to.address, 1)
		if err != nil {
			return err
		}

		spent, err := made.apply(ctx)
		s.record(name("apply_%d_services_seconds"), spent.wall.Seconds(), seconds)
		s.record(name("apply_%d_services_speedup_ratio"), one.Seconds()/spent.wall.Seconds(), times)

		return err
	})

	return err
}

// timed does something with a distant Consul, and records the requests it took under the name.
func (s *serving) timed(ctx context.Context, requests string, do func(*distant) error) (time.Duration, error) {
	to, err := s.distant(ctx)
	if err != nil {
		return 0, err
	}

	defer to.close()

	began := time.Now()
	err = do(to)
	took := time.Since(began)

	if requests != "" {
		s.record(requests, float64(to.requests.Load()), count)
	}

	return took, err
}

// registerOneByOne registers a node, a service and a check with each request, which is the least that others do.
func registerOneByOne(ctx context.Context, address string) error {
	for _, one := range declared(1) {
		body, err := json.Marshal(map[string]any{
			"Node": one.node, "Address": "10.0.0.1",
			"Service": map[string]any{"ID": one.id, "Service": one.service, "Address": "10.0.0.1", "Port": 8080, "Tags": []string{"v1"}},
			"Check": map[string]any{
				"CheckID": "service:" + one.id, "Name": "health", "ServiceID": one.id, "Status": "passing",
				"Definition": map[string]any{"HTTP": "http://10.0.0.1:8080/health", "Interval": "10s", "Timeout": "2s"},
			},
		})
		if err != nil {
			return err
		}

		request, err := http.NewRequestWithContext(ctx, http.MethodPut, address+"/v1/catalog/register", bytes.NewReader(body))
		if err != nil {
			return err
		}

		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}

		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()

		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("register %s: Consul answers %s", one.id, response.Status)
		}
	}

	return nil
}
