package main

import (
	"context"
	_ "embed"
	"fmt"
	"path/filepath"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
)

const (
	machines   = 1000
	volumeSize = 1 << 20 // bytes

	connectTimeout = 10 * time.Second
)

// hardware is a large server: two machines share a CPU.
var hardware = testbed.Topology{Sockets: 2, CoresPerSocket: 64, ThreadsPerCore: 2, MemoryGiBPerNode: 512}

const (
	emulator = "250-255" // the CPUs that no machine is pinned to
	pinned   = 250       // those that machines are pinned to
)

//go:embed machines.tf
var machinesTF string

// tinyTF declares the same machines to a provider whose schema has two attributes.
//
//go:embed tiny.tf
var tinyTF string

// place is where a machine runs.
type place struct {
	Host string `json:"host"`
	CPU  int    `json:"cpu"`
}

// refreshing compares reading the machines of two hosts by our provider with providers that do nothing, and with reading
// them without Terraform.
type refreshing struct {
	*stage

	hosts               []*testbed.Host
	domainType          string
	ours, nothing, tiny workspace
}

func setUpRefresh(ctx context.Context, on *stage) (round, error) {
	r := &refreshing{stage: on}

	if err := r.makeHosts(ctx); err != nil {
		return nil, err
	}

	if err := r.makeWorkspaces(ctx); err != nil {
		return nil, err
	}

	on.logf("refresh: defining %d machines", machines)

	if err := r.populate(ctx); err != nil {
		return nil, err
	}

	if err := r.nothing.copyState(r.ours); err != nil {
		return nil, err
	}

	if err := r.populateTiny(ctx); err != nil {
		return nil, err
	}

	if err := r.check(ctx); err != nil {
		return nil, err
	}

	return r.round, r.count(ctx)
}

func named(format string) string { return fmt.Sprintf(format, machines) }

func (r *refreshing) makeHosts(ctx context.Context) error {
	bed, err := r.bed(ctx)
	if err != nil {
		return err
	}

	for _, name := range []string{"alpha", "beta"} {
		host, err := bed.StartHost(ctx, testbed.HostOptions{Name: name, Topology: &hardware})
		if err != nil {
			return err
		}

		r.hosts = append(r.hosts, host)
		maker := client(host)

		for machine, at := range places() {
			if at.Host == name {
				volume := libvirt.VolumeSpec{Pool: "default", Name: machine + ".qcow2", Format: "qcow2", Capacity: volumeSize}
				if err := maker.CreateVolume(ctx, volume); err != nil {
					return err
				}
			}
		}
	}

	return nil
}

// places are the machines' names, and where each is.
func places() map[string]place {
	all := make(map[string]place, machines)
	for number := range machines {
		all[nameOf(number)] = place{Host: []string{"alpha", "beta"}[number%2], CPU: number / 2 % pinned}
	}

	return all
}

func nameOf(number int) string { return fmt.Sprintf("machine-%d", number) }

func client(host *testbed.Host) *libvirt.Host {
	return libvirt.NewHost(host.Name(), libvirt.Config{URI: host.URI(), ConnectTimeout: connectTimeout})
}

func (r *refreshing) makeWorkspaces(ctx context.Context) error {
	var err error
	if r.domainType, err = testbed.DomainType(ctx); err != nil {
		return err
	}

	r.logf("refresh: building the providers")

	folder := r.hosts[0].Bed().Folder()
	variables := r.variables(r.hosts[0].URI(), r.hosts[1].URI())

	for _, made := range []struct {
		workspace                     *workspace
		name, provider, configuration string
	}{
		{&r.ours, "ours", "", machinesTF},
		{&r.nothing, "nothing", "/tools/bench/nothing", machinesTF},
		{&r.tiny, "tiny", "/tools/bench/tiny", tinyTF},
	} {
		if *made.workspace, err = newWorkspace(ctx, filepath.Join(folder, "workspaces", made.name), made.provider, made.configuration, variables); err != nil {
			return err
		}
	}

	return nil
}

func (r *refreshing) variables(alpha, beta string) map[string]any {
	return map[string]any{"uris": map[string]string{"alpha": alpha, "beta": beta}, "domain_type": r.domainType, "machines": places(), "emulator": emulator}
}

// check makes sure that the rounds will compare what they should: when a machine changes behind Terraform's back, our
// provider sees it and the others do not.
func (r *refreshing) check(ctx context.Context) error {
	alpha := client(r.hosts[0])

	domain, err := alpha.DomainByName(ctx, nameOf(0))
	if err != nil {
		return err
	}

	if err := alpha.SetAutostart(ctx, domain.UUID, true); err != nil {
		return err
	}

	if _, err := r.refresh(ctx, r.ours, 1); err != nil {
		return fmt.Errorf("check that our provider reads: %w", err)
	}

	for _, idle := range []workspace{r.nothing, r.tiny} {
		if _, err := r.refresh(ctx, idle, 0); err != nil {
			return fmt.Errorf("check that the other providers do nothing: %w", err)
		}
	}

	return alpha.SetAutostart(ctx, domain.UUID, false)
}

// count takes what is no time: the calls to libvirt, of which each machine's definition is one, and the provider's memory.
func (r *refreshing) count(ctx context.Context) error {
	alpha, err := proxied(r.hosts[0])
	if err != nil {
		return err
	}

	defer func() { _ = alpha.Close() }()

	beta, err := proxied(r.hosts[1])
	if err != nil {
		return err
	}

	defer func() { _ = beta.Close() }()

	if err := r.ours.setVariables(r.variables(alpha.URI(), beta.URI())); err != nil {
		return err
	}

	if _, err := r.refresh(ctx, r.ours, 0); err != nil {
		return err
	}

	definitions, others := 0, 0

	for _, proxy := range []*wire.Proxy{alpha, beta} {
		for _, call := range proxy.Calls() {
			if call.Procedure == domainXML {
				definitions++
			} else {
				others++
			}
		}
	}

	r.record(named("refresh_%d_vms_definitions_read"), float64(definitions), calls)
	r.record(named("refresh_%d_vms_other_libvirt_calls"), float64(others), calls)

	peak, err := r.ours.peak(ctx, "plan", "-json", "-refresh-only", "-input=false")
	if err != nil {
		return err
	}

	r.record(named("refresh_%d_vms_provider_memory_mib"), float64(peak)/(1<<20), mebibytes)

	return r.ours.setVariables(r.variables(r.hosts[0].URI(), r.hosts[1].URI()))
}

func proxied(host *testbed.Host) (*wire.Proxy, error) {
	return wire.Listen(filepath.Join(host.Bed().Folder(), host.Name()+".socket"), host.Socket(), wire.Options{})
}

// domainXML is the number of the call that reads a machine's definition in libvirt's protocol.
const domainXML = 14

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

// round refreshes with all providers, one directly after the other so that what disturbs the machine disturbs all.
func (r *refreshing) round(ctx context.Context, number int) error {
	spent := map[workspace]cost{}
	turns := []workspace{r.ours, r.nothing, r.tiny}

	for i := range turns {
		turn := turns[(i+number)%len(turns)]

		took, err := r.refresh(ctx, turn, 0)
		if err != nil {
			return err
		}

		spent[turn] = took
	}

	ours, nothing, tiny := spent[r.ours], spent[r.nothing], spent[r.tiny]

	r.record(named("refresh_%d_vms_seconds"), ours.wall.Seconds(), seconds)
	r.record(named("refresh_%d_vms_nothing_seconds"), nothing.wall.Seconds(), seconds)
	r.record(named("refresh_%d_vms_tiny_seconds"), tiny.wall.Seconds(), seconds)
	r.record(named("refresh_%d_vms_ratio"), ours.wall.Seconds()/nothing.wall.Seconds(), times)
	r.record(named("refresh_%d_vms_tiny_ratio"), ours.wall.Seconds()/tiny.wall.Seconds(), times)
	r.record(named("refresh_%d_vms_cpu_seconds"), ours.cpu.Seconds(), seconds)
	r.record(named("refresh_%d_vms_nothing_cpu_seconds"), nothing.cpu.Seconds(), seconds)
	r.record(named("refresh_%d_vms_cpu_ratio"), ours.cpu.Seconds()/nothing.cpu.Seconds(), times)

	return r.readRaw(ctx)
}

// readRaw reads without Terraform what a refresh reads, on connections of its own as a refresh does.
func (r *refreshing) readRaw(ctx context.Context) error {
	began := time.Now()

	for _, host := range r.hosts {
		reader := client(host)

		if _, err := reader.Topology(ctx); err != nil {
			return err
		}

		if _, err := reader.Domains(ctx); err != nil {
			return err
		}
	}

	r.record(named("read_%d_vms_raw_ms"), float64(time.Since(began).Microseconds())/1000, milliseconds)

	return nil
}
