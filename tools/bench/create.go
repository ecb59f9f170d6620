package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/raw"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
)

const created = 50 // machines

// creating compares an apply that creates and starts machines with the same machines made straight through libvirt's
// binding.
type creating struct {
	*stage

	host        *testbed.Host
	uri         string
	proxy       *wire.Proxy // that adds latency; nil if there is none
	name        string      // of the figures
	ours        workspace
	definitions []string
	uuids       []string
}

// setUpCreate returns a set-up for a connection with that latency each way.
func setUpCreate(latency time.Duration) func(context.Context, *stage) (round, error) {
	return func(ctx context.Context, on *stage) (round, error) {
		c := &creating{stage: on, name: fmt.Sprintf("create_%d_vms", created)}

		bed, err := on.bed(ctx)
		if err != nil {
			return nil, err
		}

		if c.host, err = bed.StartHost(ctx, testbed.HostOptions{Name: "alpha", Topology: &hardware}); err != nil {
			return nil, err
		}

		c.uri = c.host.URI()

		if latency > 0 {
			c.proxy, err = wire.Listen(filepath.Join(bed.Folder(), "slow.socket"), c.host.Socket(), wire.Options{Latency: latency})
			if err != nil {
				return nil, err
			}

			c.uri = c.proxy.URI()
			c.name += fmt.Sprintf("_at_%dms", latency.Milliseconds())
		}

		return c.round, c.prepare(ctx)
	}
}

// prepare makes the disks and the workspace.
func (c *creating) prepare(ctx context.Context) error {
	domainType, err := testbed.DomainType(ctx)
	if err != nil {
		return err
	}

	maker := client(c.host)
	at := map[string]place{}

	for number := range created {
		at[nameOf(number)] = place{Host: "alpha", CPU: number}

		volume := libvirt.VolumeSpec{Pool: "default", Name: nameOf(number) + ".qcow2", Format: "qcow2", Capacity: volumeSize}
		if err := maker.CreateVolume(ctx, volume); err != nil {
			return err
		}
	}

	c.ours, err = newWorkspace(ctx, filepath.Join(c.host.Bed().Folder(), "workspaces", "create"), "", machinesTF, map[string]any{
		"uris": map[string]string{"alpha": c.uri}, "domain_type": domainType, "machines": at, "emulator": emulator, "running": true, "exclusive": true, "memory": "32MiB",
	})

	return err
}

// round makes the machines with the provider, removes them, and makes them once more without it.
func (c *creating) round(ctx context.Context, _ int) error {
	c.forget()

	spent, err := c.ours.apply(ctx)
	if err != nil {
		return err
	}

	c.count("")

	domains, err := client(c.host).Domains(ctx)
	if err != nil {
		return err
	}

	if len(domains) != created {
		return fmt.Errorf("create %d machines: the host has %d", created, len(domains))
	}

	c.definitions, c.uuids = nil, nil
	for _, domain := range domains {
		c.definitions, c.uuids = append(c.definitions, domain.XML), append(c.uuids, domain.UUID)
	}

	if _, _, err := c.ours.run(ctx, "destroy", "-json", "-auto-approve", "-input=false"); err != nil {
		return err
	}

	c.forget()

	began := time.Now()

	if err := raw.Create(c.uri, c.definitions, parallel); err != nil {
		return fmt.Errorf("create %d machines without the provider: %w", created, err)
	}

	straight := time.Since(began)

	c.count("_raw")

	if err := raw.Remove(c.host.URI(), c.uuids, parallel); err != nil {
		return fmt.Errorf("remove %d machines: %w", created, err)
	}

	c.record(c.name+"_seconds", spent.wall.Seconds(), seconds)
	c.record(c.name+"_raw_seconds", straight.Seconds(), seconds)
	c.record(c.name+"_ratio", spent.wall.Seconds()/straight.Seconds(), times)

	return nil
}

// forget lets the proxy, if there is one, count calls from here.
func (c *creating) forget() {
	if c.proxy != nil {
		c.proxy.Disarm()
	}
}

// count takes the calls since forget, those for connecting and for listing what is there included.
func (c *creating) count(who string) {
	if c.proxy != nil {
		c.record(c.name+who+"_libvirt_calls", float64(len(c.proxy.Calls())), calls)
	}
}
