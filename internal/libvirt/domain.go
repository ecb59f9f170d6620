package libvirt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
)

// Domain is a machine as its host reports it.
type Domain struct {
	Name      string
	UUID      string
	Running   bool // not shut off, crashed or paused
	Active    bool // has a QEMU process: running or paused
	Autostart bool
	Departed  bool   // has no process since it was migrated away; known only of a machine that is asked for by itself
	XML       string // what the next start will use
	LiveXML   string // what the running process uses; empty unless Active

	moving bool // may be on a move between hosts: its definition has the word that the note of one begins with
}

// DomainNow is Domain by a question that is asked after the call.
func (h *Host) DomainNow(ctx context.Context, uuid string) (Domain, error) {
	return do(ctx, h, "find a machine", func(c connection) (Domain, error) { return c.domain(uuid) })
}

// Domain returns the machine with the UUID, or ErrNotFound.
func (h *Host) Domain(ctx context.Context, uuid string) (Domain, error) {
	domain, current, listed, changed := h.known(uuid)

	switch {
	case current:
		return domain, nil
	case listed:
		return h.renew(ctx, uuid, changed)
	case h.single(askMachines, askMachines):
		return do(ctx, h, "find a machine", func(c connection) (Domain, error) { return c.domain(uuid) })
	default:
		return h.find(ctx, "UUID "+uuid, func(d Domain) bool { return d.UUID == uuid })
	}
}

// DomainByName returns the machine with the name, or ErrNotFound. A process that follows the host's events knows all names.
func (h *Host) DomainByName(ctx context.Context, name string) (Domain, error) {
	named := func(d Domain) bool { return d.Name == name }

	switch {
	case h.follows():
		domains, err := h.DomainsNow(ctx)
		if err != nil {
			return Domain{}, err
		}

		at := slices.IndexFunc(domains, named)
		if at < 0 {
			return Domain{}, fmt.Errorf("find a machine with name %q on host %q: %w", name, h.name, ErrNotFound)
		}

		return h.Domain(ctx, domains[at].UUID)
	case h.wroteTo(askMachines):
		return do(ctx, h, "find a machine", func(c connection) (Domain, error) { return c.domainNamed(name) })
	default:
		return h.find(ctx, fmt.Sprintf("name %q", name), named)
	}
}

func (h *Host) find(ctx context.Context, which string, match func(Domain) bool) (Domain, error) {
	domains, err := h.Domains(ctx)
	if err != nil {
		return Domain{}, err
	}

	for _, domain := range domains {
		if match(domain) {
			return domain, nil
		}
	}

	return Domain{}, fmt.Errorf("find a machine with %s on host %q: %w", which, h.name, ErrNotFound)
}

// Define stores a machine's definition. A machine with the same UUID gets the new definition for its next start.
func (h *Host) Define(ctx context.Context, xml string) error {
	return write(ctx, h, uuidIn(xml), defined, "define the machine", func(c connection) error { return c.defineDomain(xml) })
}

// notALinuxBridge is how libvirt says that it could not attach a machine to a bridge.
const notALinuxBridge = "Unable to add bridge"

// Start starts the machine, or lets it go on if it is paused.
func (h *Host) Start(ctx context.Context, uuid string) error {
	start := func() error {
		return write(ctx, h, uuid, powered, "start the machine", func(c connection) error { return c.startDomain(uuid) })
	}

	err := start()
	if err != nil && strings.Contains(err.Error(), notALinuxBridge) {
		err = fmt.Errorf("%w. If that is a bridge of Open vSwitch, declare a hypervisor_network of the mode \"openvswitch\" on it, and give the interface this network", err)
	}

	if err != nil || h.Kind() != LXC {
		return err
	}

	return h.awaitSeen(ctx, uuid, start)
}

// Shutdown asks the guest to power off, a machine by ACPI and a container by the pipe of systemd and its like, and returns at once.
func (h *Host) Shutdown(ctx context.Context, uuid string) error {
	return write(ctx, h, uuid, unannounced, "shut the machine down", func(c connection) error { return c.shutdownDomain(uuid) })
}

// Signal sends SIGTERM to the first process of a container, which ends most of them. Systemd starts itself anew instead, and forgets
// what it is just being asked by its pipe.
func (h *Host) Signal(ctx context.Context, uuid string) error {
	return write(ctx, h, uuid, unannounced, "signal the container", func(c connection) error { return c.signalDomain(uuid) })
}

// Destroy ends the machine's process at once, as if its power was cut. Its definition and its disks stay.
func (h *Host) Destroy(ctx context.Context, uuid string) error {
	return write(ctx, h, uuid, unannounced, "power the machine off", func(c connection) error { return c.destroyDomain(uuid) })
}

// Undefine removes the machine's definition. A machine that is already gone is no error.
func (h *Host) Undefine(ctx context.Context, uuid string) error {
	err := write(ctx, h, uuid, unannounced, "undefine the machine", func(c connection) error { return c.undefineDomain(uuid) })
	if errors.Is(err, ErrNotFound) {
		return nil
	}

	return err
}

// Active asks the host, not a shared read, whether the machine has a process. A shared read that knows it otherwise is outdated by that.
func (h *Host) Active(ctx context.Context, uuid string) (bool, error) {
	active, err := do(ctx, h, "look at the machine", func(c connection) (bool, error) { return c.isActive(uuid) })
	if err == nil {
		h.noteActive(uuid, active)
	}

	return active, err
}

// SetAutostart sets whether the machine starts with its host.
func (h *Host) SetAutostart(ctx context.Context, uuid string, on bool) error {
	return write(ctx, h, uuid, unannounced, "set autostart of the machine", func(c connection) error { return c.setAutostart(uuid, on) })
}

// PinVCPU moves the thread of a vCPU to the CPUs, at once if the machine runs and for every later start. all is the
// set of the host's CPUs.
func (h *Host) PinVCPU(ctx context.Context, uuid string, vcpu int, cpus, all topology.CPUSet) error {
	what := fmt.Sprintf("pin vCPU %d to CPUs %s", vcpu, cpus)

	return write(ctx, h, uuid, unannounced, what, func(c connection) error { return c.pinVCPU(uuid, vcpu, bitmap(cpus, all)) })
}

// PinEmulator moves QEMU's own threads to the CPUs, at once if the machine runs and for every later start.
func (h *Host) PinEmulator(ctx context.Context, uuid string, cpus, all topology.CPUSet) error {
	what := fmt.Sprintf("pin the emulator to CPUs %s", cpus)

	return write(ctx, h, uuid, unannounced, what, func(c connection) error { return c.pinEmulator(uuid, bitmap(cpus, all)) })
}

// bitmap has a place for each CPU up to the host's highest, as libvirt wants it: all of them set means no pin.
func bitmap(cpus, all topology.CPUSet) []bool {
	numbers := all.Union(cpus).CPUs()
	bits := make([]bool, numbers[len(numbers)-1]+1)

	for _, cpu := range cpus.CPUs() {
		bits[cpu] = true
	}

	return bits
}

// SetMetadata replaces our element in the machine's metadata, in the running and in the stored definition.
func (h *Host) SetMetadata(ctx context.Context, uuid, xml, key, uri string) error {
	return announce(ctx, h, uuid, &expectation{change: marked, mark: xml}, "mark the machine", func(c connection) error { return c.setMetadata(uuid, xml, key, uri) })
}

// Leases returns the addresses that the host's DHCP servers gave to the machine, by MAC.
func (h *Host) Leases(ctx context.Context, uuid string) (map[string][]string, error) {
	return do(ctx, h, "read the machine's DHCP leases", func(c connection) (map[string][]string, error) { return c.leases(uuid) })
}

// ResizeDisk grows the disk of a running machine; path is its volume's. The guest sees the new size at once.
func (h *Host) ResizeDisk(ctx context.Context, uuid, path string, capacity uint64) error {
	return run(ctx, h, storage, "grow the machine's disk", func(c connection) error { return c.resizeDisk(uuid, path, capacity) })
}
