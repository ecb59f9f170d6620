package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/placement"
)

const (
	mebibytes unit = "MiB"
	percent   unit = "%" // of the CPUs of all hosts
	amount    unit = "machines"
	fleets    unit = "fleets"

	seeds        = 20 // fleets of each kind whose packing is compared
	packingHosts = 20
)

// scales are the numbers of hosts whose fleets, of ten machines a host, are timed.
var scales = []int{10, 30, 100, 300, 1000, 3000}

// placing measures the planner alone: how much it fits onto hosts, how long it takes, and what it allocates. How much fits
// does not depend on the machine that runs it, and is found out once.
type placing struct {
	*stage
}

func setUpPlacement(ctx context.Context, on *stage) (round, error) {
	p := &placing{stage: on}

	p.fill("placement_64_threads", server)
	p.fill("placement_64_threads_reserved", reservedServer)

	for _, kind := range kinds {
		on.logf("placement: packing %d fleets: %s", seeds, kind.name)

		if err := ctx.Err(); err != nil {
			return nil, err
		}

		p.pack(kind)
	}

	return p.round, nil
}

// fill counts how many machines of two vCPUs one host takes.
func (p *placing) fill(name string, build func(string) placement.Host) {
	fleet := placement.Fleet{Hosts: servers(1, build), Groups: ungrouped}

	for {
		fleet.Machines = append(fleet.Machines, machine(len(fleet.Machines), 2))

		if _, err := placement.Plan(fleet); err != nil {
			p.record(name+"_machines", float64(len(fleet.Machines)-1), amount)

			return
		}
	}
}

// pack fills fleets until the first machine is refused, planned as a whole and one by one, and compares the CPUs in use then
// with the most that any packing could use.
func (p *placing) pack(kind kind) {
	var whole, single packing

	for seed := range uint64(seeds) {
		fleet := kind.fleet(rand.New(rand.NewPCG(seed, 1)))
		whole.add(kind, fleet, together(fleet))
		single.add(kind, fleet, oneByOne(fleet))
	}

	whole.record(p, "placement_"+kind.name+"_whole")
	single.record(p, "placement_"+kind.name+"_one_by_one")
}

// packing is how full some fleets are.
type packing struct {
	full    []float64 // in percent
	reached int       // fleets that no packing could fill more
}

func (f *packing) add(kind kind, fleet placement.Fleet, placed int) {
	f.full = append(f.full, 100*float64(cores(fleet.Machines[:placed]))/float64(kind.cores()))

	if placed == len(fleet.Machines) {
		f.reached++
	}
}

func (f *packing) record(p *placing, name string) {
	p.record(name+"_median_percent", median(f.full), percent)
	p.record(name+"_worst_percent", slices.Min(f.full), percent)
	p.record(fmt.Sprintf("%s_at_bound_of_%d", name, seeds), float64(f.reached), fleets)
}

// together is how many of a fleet's machines fit if they are planned as a whole.
func together(fleet placement.Fleet) int {
	for ; len(fleet.Machines) > 0; fleet.Machines = fleet.Machines[:len(fleet.Machines)-1] {
		if _, err := placement.Plan(fleet); err == nil {
			break
		}
	}

	return len(fleet.Machines)
}

// oneByOne is how many of a fleet's machines fit if each is planned when those before it run.
func oneByOne(fleet placement.Fleet) int {
	all := fleet.Machines

	for placed := range all {
		fleet.Machines = all[:placed+1]

		result, err := placement.Plan(fleet)
		if err != nil {
			return placed
		}

		fleet.Held = result.Assignments
	}

	return len(all)
}

// round times fleets of each scale, with and without spreading.
func (p *placing) round(ctx context.Context, _ int) error {
	for _, hosts := range scales {
		for _, spread := range []placement.Spread{placement.SpreadNone, placement.SpreadEvenly} {
			if err := ctx.Err(); err != nil {
				return err
			}

			if err := p.time(hosts, spread); err != nil {
				return err
			}
		}
	}

	return nil
}

func (p *placing) time(hosts int, spread placement.Spread) error {
	fleet := scaled(hosts, spread)
	name := fmt.Sprintf("placement_%d_on_%d", len(fleet.Machines), hosts)

	if spread != placement.SpreadNone {
		name += "_spread"
	}

	var before, after runtime.MemStats

	runtime.GC()
	runtime.ReadMemStats(&before)

	began := time.Now()

	result, err := placement.Plan(fleet)
	if err != nil {
		return fmt.Errorf("place %d machines on %d hosts: %w", len(fleet.Machines), hosts, err)
	}

	p.record(name+"_seconds", time.Since(began).Seconds(), seconds)
	runtime.ReadMemStats(&after)
	// All that was allocated, as if nothing had been collected: no plan holds more at a time.
	p.record(name+"_allocated_mib", float64(after.TotalAlloc-before.TotalAlloc)/(1<<20), mebibytes)

	fleet.Held = result.Assignments
	fleet.Machines = append(fleet.Machines, machine(len(fleet.Machines), 4))
	began = time.Now()

	if _, err := placement.Plan(fleet); err != nil {
		return fmt.Errorf("add a machine to %d: %w", len(fleet.Machines)-1, err)
	}

	p.record(name+"_add_one_ms", float64(time.Since(began))/float64(time.Millisecond), milliseconds)

	return nil
}
