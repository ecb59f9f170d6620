package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"golang.org/x/sync/errgroup"
)

// hostNames are the demo's hosts; the n-th machine, web-n, runs on the n-th.
var hostNames = []string{"alpha", "beta"}

// firstAddress is the last octet of the first machine's address.
const firstAddress = 101

// parts is what the demo consists of.
type parts struct {
	bed        *testbed.Bed
	hosts      map[string]*testbed.Host
	consul     *testbed.Consul
	traefik    *testbed.Traefik
	image      string
	domainType string
	terraform  string
	provider   string
	machines   map[string]machine
}

// machine is what the quickstart's output says of a machine.
type machine struct {
	Host     string   `json:"host"`
	Pins     []string `json:"pins"`
	Emulator string   `json:"emulator"`
	Address  string   `json:"address"`
}

func up(ctx context.Context) error {
	started := time.Now()

	if err := down(ctx); err != nil {
		return err
	}

	bed, err := testbed.Open(ctx, testbed.Options{Name: bedName, Log: os.Stdout})
	if err != nil {
		return err
	}

	if err := show(ctx, bed, started); err != nil {
		return errors.Join(err, bed.Close()) //nolint:contextcheck // as in down
	}

	return nil
}

func show(ctx context.Context, bed *testbed.Bed, started time.Time) error {
	p, err := gather(ctx, bed)
	if err != nil {
		return err
	}

	configuration, err := p.apply(ctx)
	if err != nil {
		return err
	}

	if _, err := p.ask(ctx, time.Minute); err != nil {
		return err
	}

	fmt.Printf("\nThe first answer came through the gateway %.1f s after the command.\n", time.Since(started).Seconds())

	for _, part := range []func(context.Context) error{p.showMachines, p.showService, p.showRequests, p.showLoss} {
		if err := part(ctx); err != nil {
			return err
		}
	}

	fmt.Printf("\nLook around: curl -H 'Host: %s' %s/ or cd %s && TF_CLI_CONFIG_FILE=../settings.tfrc %s plan\nStop: make demo-down\n",
		shopHost, p.traefik.URL(), configuration, filepath.Base(p.terraform))

	return nil
}

// gather starts and builds everything at once: most of it waits.
func gather(ctx context.Context, bed *testbed.Bed) (*parts, error) {
	p := &parts{bed: bed, hosts: map[string]*testbed.Host{}}
	hosts := make([]*testbed.Host, len(hostNames))

	group, ctx := errgroup.WithContext(ctx)

	for i, name := range hostNames {
		group.Go(func() (err error) {
			hosts[i], err = bed.StartHost(ctx, testbed.HostOptions{Name: name})

			return err
		})
	}

	group.Go(func() (err error) {
		if p.consul, err = bed.StartConsul(ctx); err != nil {
			return err
		}

		p.traefik, err = bed.StartTraefik(ctx, p.consul)

		return err
	})

	group.Go(func() (err error) {
		if p.image, err = testbed.Image(ctx); err != nil {
			return err
		}

		p.domainType, err = testbed.DomainType(ctx)

		return err
	})

	group.Go(func() (err error) {
		p.provider, err = cli.BuildProvider(ctx, bed.Folder())

		return err
	})

	group.Go(func() (err error) {
		p.terraform, err = terraform(ctx)

		return err
	})

	if err := group.Wait(); err != nil {
		return nil, err
	}

	for i, name := range hostNames {
		p.hosts[name] = hosts[i]
	}

	return p, nil
}

// terraform prefers terraform, which cannot be built here, and falls back to OpenTofu, which can.
func terraform(ctx context.Context) (string, error) {
	if path, err := testbed.Tool(ctx, "terraform"); err == nil {
		return path, nil
	}

	return testbed.Tool(ctx, "tofu")
}

// apply applies the quickstart to the bed and returns the folder in which its state is.
func (p *parts) apply(ctx context.Context) (string, error) {
	root, err := cli.Root(ctx)
	if err != nil {
		return "", err
	}

	fmt.Println("Applying examples/quickstart with", filepath.Base(p.terraform))

	run, err := cli.New(ctx, p.terraform, p.provider, filepath.Join(root, "examples/quickstart"), filepath.Join(p.bed.Folder(), "quickstart"))
	if err != nil {
		return "", err
	}

	if err := run.SetVariables(p.variables()); err != nil {
		return "", err
	}

	if err := run.Apply(ctx, os.Stdout); err != nil {
		return "", err
	}

	return run.Folder, run.Output(ctx, "machines", &p.machines)
}

func (p *parts) variables() map[string]any {
	hosts, machines := map[string]string{}, map[string]any{}

	for i, name := range hostNames {
		hosts[name] = p.hosts[name].URI()
		machines[machineName(i)] = map[string]string{"host": name, "address": p.bed.Address(firstAddress + i)}
	}

	return map[string]any{
		"hosts": hosts, "machines": machines, "image": p.image, "domain_type": p.domainType, "memory": "128MiB",
		"consul": p.consul.Address(), "lan_gateway": p.bed.Gateway(),
	}
}

func machineName(i int) string { return fmt.Sprintf("web-%d", i+1) }
