package vm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

const (
	// settleTimeout is how long a machine waits for others that are to yield to it. They do as soon as they look at the
	// host, unless their run was killed before.
	settleTimeout = 15 * time.Second
	// withdrawTimeout is how long taking a claim back may take.
	withdrawTimeout = 15 * time.Second
)

// checkCPUs refuses CPUs that the host does not have or that another machine holds, before anything is changed. It waits
// for a machine that is being removed: a renamed machine is made while the one of the old name goes, and their order is
// Terraform's.
func checkCPUs(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	if spec.Claim() == (domainxml.Claim{}) {
		return nil
	}

	hardware, err := host.Topology(ctx)
	if err != nil {
		return err
	}

	if err := missing(spec, host.Name(), hardware); err != nil {
		return err
	}

	started := time.Now()

	return poll.Until(ctx, "another machine to leave its CPUs", func(int) error {
		domains, err := host.DomainsNow(ctx)
		if err != nil {
			return err
		}

		others, err := claims(domains, spec.UUID, hardware.CPUs())
		if err != nil {
			return err
		}

		err = conflict(spec, host.Name(), hardware, others)
		if err != nil && (time.Since(started) < graceTimeout || conflict(spec, host.Name(), hardware, staying(others)) == nil) {
			err = fmt.Errorf("%w: %w", poll.ErrNotYet, err)
		}

		return err
	})
}

// staying leaves out the machines that are being removed.
func staying(all []claim) []claim {
	return slices.DeleteFunc(slices.Clone(all), func(c claim) bool { return c.leaving })
}

// settle decides who gets a CPU that several runs want at once. It is called once the machine's claim stands on the
// host, and looks at what all others have and claim: with the first look that shows nothing in its way the machine has
// what it claims. Otherwise it takes its claim back by withdraw and returns who is in the way. What patience makes of a
// CPU that another machine has already is returned at once unless it is poll.ErrNotYet; nil has none.
//
// No two machines can have the same CPU: each writes before it looks, so the one that wrote later sees the other. No lock
// is left behind by a run that is killed, only a machine with a claim, which the next apply of its declaration settles.
// Of machines that see each other's claims those with the greater UUID yield, and the one with the least waits for that,
// so that one of them always gets through.
func settle(ctx context.Context, host *libvirt.Host, spec domainxml.Spec, patience func([]claim, error) error, withdraw func(context.Context) error) error {
	err := await(ctx, host, spec, patience)
	if err == nil {
		return nil
	}

	withdrawing, cancel := poll.Aftermath(ctx, withdrawTimeout)
	defer cancel()

	return errors.Join(err, withdraw(withdrawing))
}

func await(ctx context.Context, host *libvirt.Host, spec domainxml.Spec, patience func([]claim, error) error) error {
	hardware, err := host.Topology(ctx)
	if err != nil {
		return err
	}

	var hindered time.Time // since when only claims are in the way

	return poll.Until(ctx, "other machines to yield their CPUs", func(int) error {
		domains, err := host.DomainsNow(ctx)
		if err != nil {
			return err
		}

		others, err := claims(domains, spec.UUID, hardware.CPUs())
		if err != nil {
			return err
		}

		hindrance, err := contend(spec, host.Name(), hardware, others)

		switch {
		case err != nil && patience != nil && !outranked(spec, others):
			hindered = time.Time{}

			return patience(others, err)
		case err != nil || hindrance == "":
			return err
		case hindered.IsZero():
			hindered = time.Now()
		case time.Since(hindered) > settleTimeout:
			return fmt.Errorf("%s. It did not yield within %s, as if its apply was killed: apply its declaration again, or remove it", hindrance, settleTimeout)
		}

		return fmt.Errorf("%w: %s", poll.ErrNotYet, hindrance)
	})
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

// outranked reports whether a machine that comes first claims what the spec wants. Whoever is outranked yields at once, or
// the other would wait for it.
func outranked(spec domainxml.Spec, others []claim) bool {
	return slices.ContainsFunc(others, func(other claim) bool {
		return other.rival != "" && other.rival <= spec.UUID && clash(spec, "", other) != ""
	})
}
