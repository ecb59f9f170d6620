package vm

import (
	"context"
	"fmt"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

const (
	// graceTimeout is how long a machine waits for one that holds its new CPUs and does not say that it leaves them. The
	// same apply may not have come to it yet.
	graceTimeout = 5 * time.Second
	// leaveTimeout is how long it waits for one that says so.
	leaveTimeout = time.Minute
)

// change brings a machine that exists to the CPUs that it wants. One apply may give the CPUs of each of several machines to
// the next, so whoever finds its new ones held waits for the holder to leave. Machines that would wait for each other in a
// ring see that by their claims; the one with the least UUID then goes to the shared pool until its new CPUs are free.
type change struct {
	host   *libvirt.Host
	now    observed
	want   domainxml.Spec
	all    topology.CPUSet // of the host
	parked bool
}

// claim writes down what the machine wants beside what it has, and settles whether it may have it. The claim stays until
// the steps of the update take it away.
func (c *change) claim(ctx context.Context) error {
	claimed := c.want.Claim()
	if claimed == (domainxml.Claim{}) {
		return nil
	}

	if err := c.mark(ctx, claimed); err != nil {
		return err
	}

	started := time.Now()
	patience := func(others []claim, refusal error) error { return c.wait(ctx, others, refusal, time.Since(started)) }
	withdraw := func(ctx context.Context) error { return c.mark(ctx, domainxml.Claim{}) }

	err := settle(ctx, c.host, c.want, patience, withdraw)
	if err != nil && c.parked {
		return fmt.Errorf("%w. The machine runs in the shared pool, CPU %s, until the next apply", err, c.want.Emulator)
	}

	return err
}

// mark writes the machine's mark with another claim.
func (c *change) mark(ctx context.Context, claimed domainxml.Claim) error {
	c.now.stored.Mark.Claim, c.now.live.Mark.Claim = claimed, claimed

	return setMark(ctx, c.host, c.now.stored)
}

// wait decides what becomes of a machine that finds its new CPUs held: it returns poll.ErrNotYet if waiting may help.
func (c *change) wait(ctx context.Context, others []claim, refusal error, waited time.Duration) error {
	mine := claim{machine: c.now.domain.Name, vcpus: c.now.stored.PinnedCPUs(), emulator: c.now.stored.HelperCPUs(c.all), exclusive: c.now.stored.Mark.Exclusive}
	leaving, ring := ringOf(c.want, mine, others)

	switch {
	case !leaving && waited > graceTimeout, waited > leaveTimeout:
		return refusal
	case !ring || c.parked:
		return fmt.Errorf("%w: %w", poll.ErrNotYet, refusal)
	case c.want.Emulator.IsEmpty():
		return fmt.Errorf("%w. Both machines are to have CPUs of the other: give them an emulator set, in which one can wait while they change places", refusal)
	}

	if err := c.park(ctx); err != nil {
		return err
	}

	return fmt.Errorf("%w: %w", poll.ErrNotYet, refusal)
}

// park takes the machine from its CPUs to the shared pool, as it runs.
func (c *change) park(ctx context.Context) error {
	c.now.stored.Mark.Exclusive, c.now.live.Mark.Exclusive = false, false
	if err := setMark(ctx, c.host, c.now.stored); err != nil {
		return err
	}

	for vcpu := range c.now.stored.VCPUs {
		if err := c.host.PinVCPU(ctx, c.now.stored.UUID, vcpu, c.want.Emulator, c.all); err != nil {
			return err
		}
	}

	domain, err := c.host.Domain(ctx, c.now.stored.UUID)
	if err != nil {
		return err
	}

	c.parked = true
	c.now, err = observe(domain)

	return err
}

// ringOf follows who wants whose CPUs, from the machine that wants on. It reports whether all who hold what the machine
// wants are leaving for CPUs that they claim, and whether they and others wait for each other in a ring with the machine,
// in which it is the one to give way.
func ringOf(want domainxml.Spec, mine claim, others []claim) (leaving, ring bool) {
	held := append([]claim{mine}, others...)
	wants := map[string]domainxml.Spec{want.Name: want}

	for _, other := range others {
		if other.rival != "" {
			wants[other.machine] = domainxml.Spec{
				UUID: other.rival, Pins: []topology.CPUSet{other.vcpus}, Emulator: other.emulator, Mark: domainxml.Mark{Exclusive: other.exclusive},
			}
		}
	}

	// holders are the machines that have something of what one wants.
	holders := func(machine string) (names []string) {
		for _, holder := range held {
			if holder.rival == "" && holder.machine != machine && clash(wants[machine], "", holder) != "" {
				names = append(names, holder.machine)
			}
		}

		return names
	}

	leaving = true
	for _, holder := range holders(want.Name) {
		_, claims := wants[holder]
		leaving = leaving && claims
	}

	reached := reach(want.Name, holders)
	least := true

	for machine := range reached {
		if machine != want.Name && reach(machine, holders)[want.Name] && wants[machine].UUID < want.UUID {
			least = false
		}
	}

	return leaving, reached[want.Name] && least
}

// reach returns all machines that one waits for, by whatever way.
func reach(from string, holders func(string) []string) map[string]bool {
	reached := map[string]bool{}
	next := holders(from)

	for len(next) > 0 {
		machine := next[0]
		next = next[1:]

		if !reached[machine] {
			reached[machine] = true
			next = append(next, holders(machine)...)
		}
	}

	return reached
}
