package vm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

const (
	// settleTimeout is how long a machine waits for others that are to yield to it. They do as soon as they look at the
	// host, unless their run was killed before.
	settleTimeout = 15 * time.Second
	// withdrawTimeout is how long taking a claim back may take, also when the run is cancelled.
	withdrawTimeout = 15 * time.Second
)

// settle decides who gets a CPU that several runs want at once. It is called once the machine's claim stands on the
// host, and looks at what all others have and claim: with the first look that shows nothing in its way the machine has
// what it claims. Otherwise it takes its claim back by withdraw and returns who is in the way.
//
// No two machines can have the same CPU: each writes before it looks, so the one that wrote later sees the other. No lock
// is left behind by a run that is killed, only a machine with a claim, which the next apply of its declaration settles.
// Of machines that see each other's claims those with the greater UUID yield, and the one with the least waits for that,
// so that one of them always gets through.
func settle(ctx context.Context, host *libvirt.Host, spec domainxml.Spec, withdraw func(context.Context) error) error {
	err := await(ctx, host, spec)
	if err == nil {
		return nil
	}

	withdrawing, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawTimeout)
	defer cancel()

	return errors.Join(err, withdraw(withdrawing))
}

func await(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	hardware, err := host.Topology(ctx)
	if err != nil {
		return err
	}

	waiting, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()

	var hindrance string

	err = poll(waiting, "other machines to yield their CPUs", func(int) error {
		domains, err := host.DomainsNow(waiting)
		if err != nil {
			return err
		}

		others, err := claims(domains, spec.UUID)
		if err != nil {
			return err
		}

		hindrance, err = contend(spec, host.Name(), hardware, others)
		if err == nil && hindrance != "" {
			err = fmt.Errorf("%w: %s", errNotYet, hindrance)
		}

		return err
	})
	if errors.Is(err, errNotYet) && ctx.Err() == nil {
		return fmt.Errorf("%s. It did not yield within %s, as if its apply was killed: apply its declaration again, or remove it", hindrance, settleTimeout)
	}

	return err
}

// contend is conflict among machines that claim. If all that is in the way are claims of machines that have to yield to
// this one, it is no error, and hindrance says which.
func contend(spec domainxml.Spec, host string, hardware topology.Host, others []claim) (hindrance string, err error) {
	var firm []claim

	for _, other := range others {
		if other.rival <= spec.UUID {
			firm = append(firm, other)

			continue
		}

		if fault := clash(spec, host, other); fault != "" {
			hindrance = fault
		}
	}

	return hindrance, conflict(spec, host, hardware, firm)
}

// claim writes down what a machine that exists wants beside what it has, and settles whether it may have it. The claim
// stays until the steps of the update take it away.
func (o *observed) claim(ctx context.Context, host *libvirt.Host, want domainxml.Spec) error {
	claimed := want.Claim()
	if claimed == (domainxml.Claim{}) {
		return nil
	}

	spec := o.stored
	spec.Mark.Claim = claimed

	if err := setMark(ctx, host, spec); err != nil {
		return err
	}

	withdraw := func(ctx context.Context) error {
		spec.Mark.Claim = domainxml.Claim{}

		return setMark(ctx, host, spec)
	}

	if err := settle(ctx, host, want, withdraw); err != nil {
		return err
	}

	o.stored.Mark.Claim, o.live.Mark.Claim = claimed, claimed

	return nil
}
