package main

import (
	"context"
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

const (
	machines   = 100
	emulator   = "100-127" // the CPUs that no machine is pinned to
	volumeSize = 1 << 20   // bytes

	connectTimeout = 10 * time.Second
)

// hardware has a CPU for each machine, and some more.
var hardware = testbed.Topology{Sockets: 2, CoresPerSocket: 32, ThreadsPerCore: 2, MemoryGiBPerNode: 128}

//go:embed machines.tf
var machinesTF string

// refreshing compares reading the machines of one host by our provider with a provider that does nothing, and with reading
// them without Terraform.
type refreshing struct {
	*stage

	host          *testbed.Host
	ours, nothing workspace
}

func setUpRefresh(ctx context.Context, on *stage) (round, error) {
	r := &refreshing{stage: on}

	if err := r.makeHost(ctx); err != nil {
		return nil, err
	}

	if err := r.makeWorkspaces(ctx); err != nil {
		return nil, err
	}

	on.logf("refresh: defining %d machines", machines)

	spent, err := r.ours.apply(ctx)
	if err != nil {
		return nil, err
	}

	r.record(named("define_%d_vms_seconds"), spent.wall.Seconds(), seconds)

	if err := r.nothing.copyState(r.ours); err != nil {
		return nil, err
	}

	return r.round, r.check(ctx)
}

func named(format string) string { return fmt.Sprintf(format, machines) }

func (r *refreshing) makeHost(ctx context.Context) error {
	bed, err := r.bed(ctx)
	if err != nil {
		return err
	}

	r.host, err = bed.StartHost(ctx, testbed.HostOptions{Name: "alpha", Topology: &hardware})
	if err != nil {
		return err
	}

	client := r.client()

	for name := range names() {
		volume := libvirt.VolumeSpec{Pool: "default", Name: name + ".qcow2", Format: "qcow2", Capacity: volumeSize}
		if err := client.CreateVolume(ctx, volume); err != nil {
			return err
		}
	}

	return nil
}

// names are the machines' names, and the CPU of each.
func names() map[string]int {
	cpus := make(map[string]int, machines)
	for cpu := range machines {
		cpus[nameOf(cpu)] = cpu
	}

	return cpus
}

func nameOf(cpu int) string { return fmt.Sprintf("machine-%d", cpu) }

func (r *refreshing) client() *libvirt.Host {
	return libvirt.NewHost(r.host.Name(), libvirt.Config{URI: r.host.URI(), ConnectTimeout: connectTimeout})
}

func (r *refreshing) makeWorkspaces(ctx context.Context) error {
	domainType, err := testbed.DomainType(ctx)
	if err != nil {
		return err
	}

	variables := map[string]any{"uri": r.host.URI(), "domain_type": domainType, "machines": names(), "emulator": emulator}

	r.logf("refresh: building the providers")

	folder := r.host.Bed().Folder()

	r.ours, err = newWorkspace(ctx, filepath.Join(folder, "workspaces", "ours"), "", machinesTF, variables)
	if err != nil {
		return err
	}

	r.nothing, err = newWorkspace(ctx, filepath.Join(folder, "workspaces", "nothing"), "/tools/bench/nothing", machinesTF, variables)

	return err
}

// check makes sure that the rounds will compare what they should: when a machine changes behind Terraform's back, our
// provider sees it and the other does not.
func (r *refreshing) check(ctx context.Context) error {
	client := r.client()

	domain, err := client.DomainByName(ctx, nameOf(0))
	if err != nil {
		return err
	}

	if err := client.SetAutostart(ctx, domain.UUID, true); err != nil {
		return err
	}

	if _, err := r.refresh(ctx, r.ours, 1); err != nil {
		return fmt.Errorf("check that our provider reads: %w", err)
	}

	if _, err := r.refresh(ctx, r.nothing, 0); err != nil {
		return fmt.Errorf("check that the other provider does nothing: %w", err)
	}

	return client.SetAutostart(ctx, domain.UUID, false)
}

// refresh returns what a refresh takes. It must have read all machines and found so many changed.
func (r *refreshing) refresh(ctx context.Context, in workspace, changed int) (cost, error) {
	read, drifted, spent, err := in.refresh(ctx)
	if err != nil {
		return cost{}, err
	}

	if read != machines || drifted != changed {
		return cost{}, fmt.Errorf("refresh %d machines of which %d changed: Terraform read %d and found %d changed", machines, changed, read, drifted)
	}

	return spent, nil
}

// round refreshes with both providers, one directly after the other so that what disturbs the machine disturbs both.
func (r *refreshing) round(ctx context.Context, number int) error {
	spent := map[workspace]cost{}

	turns := []workspace{r.ours, r.nothing}
	if number%2 == 1 {
		slices.Reverse(turns)
	}

	for _, turn := range turns {
		took, err := r.refresh(ctx, turn, 0)
		if err != nil {
			return err
		}

		spent[turn] = took
	}

	ours, nothing := spent[r.ours], spent[r.nothing]

	r.record(named("refresh_%d_vms_seconds"), ours.wall.Seconds(), seconds)
	r.record(named("refresh_%d_vms_nothing_seconds"), nothing.wall.Seconds(), seconds)
	r.record(named("refresh_%d_vms_ratio"), ours.wall.Seconds()/nothing.wall.Seconds(), times)
	r.record(named("refresh_%d_vms_cpu_seconds"), ours.cpu.Seconds(), seconds)
	r.record(named("refresh_%d_vms_nothing_cpu_seconds"), nothing.cpu.Seconds(), seconds)
	r.record(named("refresh_%d_vms_cpu_ratio"), ours.cpu.Seconds()/nothing.cpu.Seconds(), times)

	return r.readRaw(ctx)
}

// readRaw reads without Terraform what a refresh reads, on a connection of its own as a refresh does.
func (r *refreshing) readRaw(ctx context.Context) error {
	client := r.client()
	began := time.Now()

	if _, err := client.Topology(ctx); err != nil {
		return err
	}

	if _, err := client.Domains(ctx); err != nil {
		return err
	}

	r.record(named("read_%d_vms_raw_ms"), float64(time.Since(began).Microseconds())/1000, milliseconds)

	return nil
}
