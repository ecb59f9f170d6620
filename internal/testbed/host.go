package testbed

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	firstHost = 11               // number of the first host's address
	lastHost  = 99               // guests follow
	hostLimit = 60 * time.Second // the first start of all asks QEMU for its abilities, which takes seconds
	stopGrace = 5 * time.Second
)

//go:embed files/host.sh
var hostScript string

// HostOptions of a host.
type HostOptions struct {
	// Name is the host's name in the bed: a letter, then letters, digits and dashes, at most 32, all lower case.
	Name string
	// Topology makes up CPUs and NUMA nodes; nil shows the machine's real ones.
	Topology *Topology
	// Containers lets the host run containers; see Host.ContainerURI.
	Containers bool
	// System is what containers on the host may be made of, if any.
	System *System
}

// Host is one libvirtd that takes itself for a machine of its own. Guests reach the bed's subnet by the bridge "br0",
// and a storage pool "default" is active at /var/lib/libvirt/images, which no other host sees.
type Host struct {
	bed    *Bed
	record hostRecord

	mutex  sync.Mutex // held while the host starts or ends
	daemon *daemon    // nil if another process started it
}

var hostName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// StartHost starts a host and returns when it serves. Several may be started at once.
func (b *Bed) StartHost(ctx context.Context, options HostOptions) (*Host, error) {
	began := time.Now()
	host, err := b.addHost(options)
	if err != nil {
		return nil, fmt.Errorf("start host %q: %w", options.Name, err)
	}
	if err := host.start(ctx, options.System); err != nil {
		return nil, fmt.Errorf("start host %q: %w", options.Name, err)
	}
	b.logf("host %s is up at %s after %.1f s", host.Name(), host.Address(), time.Since(began).Seconds())
	return host, nil
}

// addHost writes down a host before anything of it exists.
func (b *Bed) addHost(options HostOptions) (*Host, error) {
	if !hostName.MatchString(options.Name) {
		return nil, fmt.Errorf("its name must match %s", hostName)
	}
	if options.Topology != nil {
		if err := options.Topology.check(); err != nil {
			return nil, err
		}
	}
	memory, err := options.memory()
	if err != nil {
		return nil, err
	}

	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.closed {
		return nil, errClosed
	}
	if _, exists := b.hosts[options.Name]; exists {
		return nil, errors.New("the bed has a host of that name")
	}
	number := firstHost + len(b.record.Hosts)
	if number > lastHost {
		return nil, errors.New("the bed is full")
	}
	host := &Host{bed: b, record: hostRecord{Name: options.Name, Number: number, Topology: options.Topology, Memory: memory}}
	b.record.Hosts = append(b.record.Hosts, host.record)
	b.hosts[options.Name] = host
	if err := b.record.save(); err != nil {
		return nil, err
	}
	return host, b.writeHosts()
}

// start prepares a new host's folder and boots it.
func (h *Host) start(ctx context.Context, system *System) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()

	accelerator, err := DomainType(ctx)
	if err != nil {
		return err
	}
	if err := h.writeFolders(); err != nil {
		return err
	}
	if err := h.copyFilters(); err != nil {
		return err
	}
	if err := h.writeFiles(accelerator); err != nil {
		return err
	}
	if err := h.writeHook(system); err != nil {
		return err
	}
	if err := os.Link(h.bed.hostsFile(), h.path("hosts")); err != nil {
		return err
	}
	if err := h.makeUpHardware(ctx); err != nil {
		return err
	}
	capabilities, err := openCapabilities(accelerator)
	if err != nil {
		return err
	}
	if err := capabilities.seed(h.path("cache/qemu/capabilities")); err != nil {
		return err
	}
	if err := h.boot(ctx); err != nil {
		return err
	}
	if err := h.makePool(ctx); err != nil {
		return err
	}
	// libvirt asks QEMU only when somebody wants to know; a later host must find the answer in the cache.
	if _, err := h.virsh(ctx, "capabilities"); err != nil {
		return err
	}
	return capabilities.publish(h.path("cache/qemu/capabilities"))
}

// boot connects the host to the bed's bridge and starts its libvirtd.
func (h *Host) boot(ctx context.Context) error {
	if err := h.groups().create(h.bed.prefix(), h.record.Name); err != nil {
		return err
	}
	if err := h.connect(ctx); err != nil {
		return err
	}
	server, err := launch("libvirtd of "+h.record.Name, h.path("log/start.log"),
		"/bin/sh", h.path("host.sh"), "enter", h.Folder(), h.bed.record.netns(h.record.Name))
	if err != nil {
		return err
	}
	h.daemon = server
	return server.ready(ctx, hostLimit, func(ctx context.Context) error {
		if _, err := os.Stat(h.Socket()); err != nil {
			return err
		}
		_, err := h.virsh(ctx, "version", "--daemon")
		return err
	})
}

// connect makes the host's network namespace: eth0 to the bed's bridge, and the host's own bridge br0 over it. Both
// bridges have fixed MACs; see Bed.build.
func (h *Host) connect(ctx context.Context) error {
	netns, veth := h.bed.record.netns(h.record.Name), h.bed.record.veth(h.record.Number)
	outside := fmt.Sprintf(`netns add %[1]s
link add %[2]s type veth peer name eth0 address %[3]s netns %[1]s
link set %[2]s master %[4]s
link set %[2]s up
`, netns, veth, h.bed.mac(h.record.Number, 2), h.bed.prefix())
	inside := fmt.Sprintf(`link set lo up
link add br0 address %[1]s type bridge
link set eth0 master br0
link set eth0 up
address add %[2]s dev br0
link set br0 up
route add default via %[3]s
`, h.bed.mac(h.record.Number, 1), h.bed.CIDR(h.record.Number), h.bed.Gateway())

	if _, err := feed(ctx, outside, "ip", "-batch", "-"); err != nil {
		return fmt.Errorf("connect to the bed's bridge: %w", err)
	}
	if _, err := feed(ctx, inside, "ip", "-netns", netns, "-batch", "-"); err != nil {
		return fmt.Errorf("connect to the bed's bridge: %w", err)
	}
	return nil
}

// makePool makes the storage pool that the packages of a distribution would offer.
func (h *Host) makePool(ctx context.Context) error {
	for _, command := range [][]string{
		{"pool-define-as", "default", "dir", "--target", "/var/lib/libvirt/images"},
		{"pool-autostart", "default"},
		{"pool-start", "default"},
	} {
		if _, err := h.virsh(ctx, command...); err != nil {
			return fmt.Errorf("make the storage pool: %w", err)
		}
	}
	return nil
}

// virsh runs a command of virsh(1) on the host.
func (h *Host) virsh(ctx context.Context, command ...string) (string, error) {
	return run(ctx, append([]string{"virsh", "--quiet", "--connect", h.URI()}, command...)...)
}

// Bed returns the bed that the host belongs to.
func (h *Host) Bed() *Bed { return h.bed }

// Name returns the host's name.
func (h *Host) Name() string { return h.record.Name }

// Address returns the host's address in the bed's subnet.
func (h *Host) Address() string { return h.bed.Address(h.record.Number) }

// Folder returns the folder that holds what the host sees as its disk: etc lib run cache log.
func (h *Host) Folder() string { return filepath.Join(h.bed.Folder(), h.record.Name) }

// URI returns the address of the host's libvirt for a client on this machine.
func (h *Host) URI() string { return "qemu+unix:///system?socket=" + h.Socket() }

// Socket returns the path of the socket that URI leads to.
func (h *Host) Socket() string { return h.path("run/libvirt/libvirt-sock") }

// TCPURI returns the address of the host's libvirt for other hosts of the bed, such as the target of a migration.
func (h *Host) TCPURI() string { return "qemu+tcp://" + h.Address() + "/system" }

func (h *Host) path(name string) string { return filepath.Join(h.Folder(), name) }

// group is the host's cgroup, and groups are the hierarchies that have it.
func (h *Host) group() string { return filepath.Join(h.bed.prefix(), h.record.Name) }

func (h *Host) groups() groups { return h.record.groups(h.bed.groups) }

// Stop shuts the host down: libvirtd first, then its machines, each by SIGTERM. What is left after five seconds is
// killed. Definitions, volumes and pools stay for Restart.
func (h *Host) Stop(ctx context.Context) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.stop(ctx)
}

func (h *Host) stop(ctx context.Context) error {
	if pid, err := h.libvirtd(); err == nil {
		_ = syscall.Kill(pid, syscall.SIGTERM)
		waiting, cancel := context.WithTimeout(ctx, stopGrace)
		defer cancel()
		_ = until(waiting, func(context.Context) error { // if it does not end, it is killed below
			if _, err := h.libvirtd(); err == nil {
				return fmt.Errorf("libvirtd of %s, process %d, runs", h.record.Name, pid)
			}
			return nil
		})
	}
	_ = h.bed.groups.end(ctx, h.group(), syscall.SIGTERM, stopGrace) // what is left is killed below
	return h.remove(ctx)
}

// Kill is a power failure: the network is cut first, so that no peer hears a farewell, then libvirtd and all machines
// are killed. What was on disk stays for Restart.
func (h *Host) Kill(ctx context.Context) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if err := removeLink(ctx, h.bed.record.veth(h.record.Number)); err != nil {
		return fmt.Errorf("kill host %q: %w", h.record.Name, err)
	}
	return h.remove(ctx)
}

// SetLink connects the host to the bed's network, or takes it off while it and its machines run on.
func (h *Host) SetLink(ctx context.Context, up bool) error {
	state := "down"
	if up {
		state = "up"
	}

	_, err := run(ctx, "ip", "link", "set", h.bed.record.veth(h.record.Number), state)

	return err
}

// Restart is a reboot: it stops the host if it runs, forgets what a reboot forgets, and starts it. Machines marked
// for autostart start.
func (h *Host) Restart(ctx context.Context) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if _, err := os.Stat(h.path("etc/libvirtd.conf")); err != nil {
		return fmt.Errorf("restart host %q: it was never started, or its bed is closed: %w", h.record.Name, err)
	}
	if err := h.stop(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(h.path("run")); err != nil {
		return fmt.Errorf("restart host %q: %w", h.record.Name, err)
	}
	if err := h.writeFolders(); err != nil {
		return fmt.Errorf("restart host %q: %w", h.record.Name, err)
	}
	if err := h.boot(ctx); err != nil {
		return fmt.Errorf("restart host %q: %w", h.record.Name, err)
	}
	return nil
}

// remove kills what runs and removes all of the host but its folder.
func (h *Host) remove(ctx context.Context) error {
	err := errors.Join(
		h.bed.groups.end(ctx, h.group(), syscall.SIGKILL, teardownLimit),
		h.groups().remove(ctx, h.group()),
		h.bed.record.disconnect(ctx, h.record))
	if err != nil {
		return fmt.Errorf("stop host %q: %w", h.record.Name, err)
	}
	if h.daemon != nil {
		<-h.daemon.gone
	}
	return nil
}

// libvirtd returns the PID of the host's libvirtd if it runs.
func (h *Host) libvirtd() (int, error) {
	return h.readPID(h.path("run/libvirtd.pid"))
}

// readPID reads a PID file and checks that the process is one of the host's.
func (h *Host) readPID(path string) (int, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	members, err := h.bed.groups.members(h.group())
	if err != nil {
		return 0, err
	}
	if !slices.Contains(members, pid) {
		return 0, fmt.Errorf("process %d of %s has ended", pid, path)
	}
	return pid, nil
}
