// Package testbed runs real servers for tests and for the demo: libvirt hosts with guests, Consul, Traefik.
//
// A bed is one private set of them: a scratch folder, a bridge with the subnet 10.77.N.0/24, and the processes of one
// cgroup. A host is a libvirtd with namespaces of its own (network, mounts, host name, IPC, cgroups), so that two of
// them share nothing but the kernel. PIDs are shared on purpose: a test reads /proc of a machine's QEMU.
//
// Nothing of a bed outlives Close, and what a crashed process left is removed by the next Open.
package testbed

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// teardownLimit bounds the removal of one bed.
const teardownLimit = 20 * time.Second

// Options of a bed.
type Options struct {
	// Name makes the bed outlive this process: Attach finds it by its name, and only Close removes it.
	Name string
	// Log receives a line for each step that may take more than a moment; nil discards them.
	Log io.Writer
}

// Bed is a set of servers on a private subnet. Its methods may be called concurrently.
type Bed struct {
	groups groups
	log    io.Writer

	mutex   sync.Mutex // guards what follows
	closed  bool
	record  record
	hosts   map[string]*Host
	daemons []*daemon
}

// Open makes an empty bed, after removing those whose process has died. It needs root and Linux, and says in one
// sentence what is missing.
func Open(ctx context.Context, options Options) (*Bed, error) {
	if err := checkMachine(); err != nil {
		return nil, err
	}
	found, err := findGroups()
	if err != nil {
		return nil, err
	}
	unlock, err := openRegistry(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	others, err := sweep(ctx, found)
	if err != nil {
		return nil, err
	}
	entry, err := claim(others, options.Name)
	if err != nil {
		return nil, err
	}
	bed := newBed(entry, found, options.Log)
	if err := bed.build(ctx); err != nil {
		return nil, errors.Join(err, entry.teardown(context.WithoutCancel(ctx), found))
	}
	return bed, nil
}

// Attach finds a bed that another process opened under a name. Its Close removes the bed.
func Attach(name string) (*Bed, error) {
	if err := checkMachine(); err != nil {
		return nil, err
	}
	found, err := findGroups()
	if err != nil {
		return nil, err
	}
	beds, _, err := records()
	if err != nil {
		return nil, err
	}
	for _, entry := range beds {
		if entry.Name == name && name != "" {
			return newBed(entry, found, nil), nil
		}
	}
	return nil, fmt.Errorf("attach to bed %q: %w", name, ErrNoBed)
}

// ErrNoBed says that no bed of that name is up.
var ErrNoBed = errors.New("no bed of that name is up")

func newBed(entry record, found groups, log io.Writer) *Bed {
	if log == nil {
		log = io.Discard
	}
	bed := &Bed{groups: found, log: log, record: entry, hosts: map[string]*Host{}}
	for _, host := range entry.Hosts {
		bed.hosts[host.Name] = &Host{bed: bed, record: host}
	}
	return bed
}

// packages names the Debian package of each program a bed cannot do without.
var packages = map[string]string{
	"ip": "iproute2", "nsenter": "util-linux", "unshare": "util-linux", "tini": "tini",
	"libvirtd": "libvirt-daemon-system", "virsh": "libvirt-clients",
	"qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils",
}

// checkMachine says in one sentence why this machine cannot serve.
func checkMachine() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("the test bed needs Linux, and this is %s", runtime.GOOS)
	}
	if os.Geteuid() != 0 {
		return errors.New("the test bed needs root: it makes network and mount namespaces")
	}
	return needPrograms(packages)
}

// needPrograms checks that programs are installed, given the Debian package of each.
func needPrograms(packageOf map[string]string) error {
	var missing []string
	for program, debian := range packageOf {
		if _, err := exec.LookPath(program); err != nil && !slices.Contains(missing, debian) {
			missing = append(missing, debian)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("the test bed needs Debian packages that are not installed: apt-get install --no-install-recommends %s", strings.Join(missing, " "))
}

// sweep removes the beds whose owner has died and returns the records of the others. The registry must be locked.
func sweep(ctx context.Context, found groups) ([]record, error) {
	beds, leftovers, err := records()
	if err != nil {
		return nil, err
	}
	for _, folder := range leftovers {
		if err := os.RemoveAll(folder); err != nil {
			return nil, fmt.Errorf("remove what is left of a bed: %w", err)
		}
	}
	var others []record
	for _, entry := range beds {
		if entry.Owner == nil || entry.Owner.alive() {
			others = append(others, entry)
			continue
		}
		if err := entry.teardown(ctx, found); err != nil {
			return nil, fmt.Errorf("clean up after a crashed run: %w", err)
		}
	}
	return others, nil
}

// claim writes down a new bed with a subnet that is used neither by another bed nor by the machine. The registry must
// be locked.
func claim(others []record, name string) (record, error) {
	var taken []int
	for _, other := range others {
		if name != "" && other.Name == name {
			return record{}, fmt.Errorf("open bed %q: it is already up: close it first", name)
		}
		taken = append(taken, other.Subnet)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return record{}, fmt.Errorf("open bed: list addresses: %w", err)
	}
	subnet, err := freeSubnet(taken, addresses)
	if err != nil {
		return record{}, err
	}

	var id [2]byte
	_, _ = rand.Read(id[:]) // never fails, by its documentation
	entry := record{ID: hex.EncodeToString(id[:]), Name: name, Subnet: subnet}
	if name == "" {
		owner, err := identify(os.Getpid())
		if err != nil {
			return record{}, fmt.Errorf("open bed: %w", err)
		}
		entry.Owner = &owner
	}
	if err := os.Mkdir(entry.folder(), 0o700); err != nil {
		return record{}, fmt.Errorf("open bed: %w", err)
	}
	if err := entry.save(); err != nil {
		return record{}, err
	}
	return entry, nil
}

// freeSubnet returns an N such that 10.77.N.0/24 meets no other bed and no address of the machine.
func freeSubnet(taken []int, addresses []net.Addr) (int, error) {
	for subnet := 1; subnet < 255; subnet++ {
		_, block, _ := net.ParseCIDR(fmt.Sprintf("10.77.%d.0/24", subnet))
		meets := func(address net.Addr) bool {
			other, ok := address.(*net.IPNet)
			return ok && (block.Contains(other.IP) || other.Contains(block.IP))
		}
		if !slices.Contains(taken, subnet) && !slices.ContainsFunc(addresses, meets) {
			return subnet, nil
		}
	}
	return 0, errors.New("open bed: every subnet of 10.77.0.0/16 is in use on this machine")
}

// build makes the bridge. A bridge takes the lowest MAC of its ports unless it is given one, and would change it with
// each tap that comes or goes, which stalls every peer until its ARP entry expires.
func (b *Bed) build(ctx context.Context) error {
	link := b.prefix()
	commands := fmt.Sprintf("link add %[1]s address %[2]s type bridge\naddress add %[3]s dev %[1]s\nlink set %[1]s up\n",
		link, b.mac(1, 0), b.CIDR(1))
	if _, err := feed(ctx, commands, "ip", "-batch", "-"); err != nil {
		return fmt.Errorf("make the bridge of bed %s: %w", b.record.ID, err)
	}
	// A guest that takes over an address must be found soon: forget unconfirmed neighbours after about a second.
	for name, value := range map[string]string{"base_reachable_time_ms": "1000", "delay_first_probe_time": "1"} {
		if err := os.WriteFile(filepath.Join("/proc/sys/net/ipv4/neigh", link, name), []byte(value), 0o600); err != nil {
			return fmt.Errorf("make the bridge of bed %s: %w", b.record.ID, err)
		}
	}
	return b.writeHosts()
}

// Close ends every process of the bed and removes everything it made, once the starts that go on have returned. It may
// be called more than once.
func (b *Bed) Close() error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.closed = true

	servers := slices.Clone(b.daemons)
	for _, host := range b.hosts {
		host.mutex.Lock()
		defer host.mutex.Unlock() //nolint:gocritic // held until Close returns
		if host.daemon != nil {
			servers = append(servers, host.daemon)
		}
	}
	for _, server := range servers {
		server.kill() // it may not have joined the bed's cgroup yet
	}

	ctx, cancel := context.WithTimeout(context.Background(), 2*teardownLimit)
	defer cancel()
	return b.record.teardown(ctx, b.groups)
}

var errClosed = errors.New("the bed is closed")

// Address returns address n of the bed's subnet, such as "10.77.3.101". 1 is the gateway and hosts are numbered from
// 11; guests take 100 and above.
func (b *Bed) Address(n int) string { return fmt.Sprintf("10.77.%d.%d", b.record.Subnet, n) }

// CIDR returns address n with the length of the subnet's prefix, such as "10.77.3.101/24".
func (b *Bed) CIDR(n int) string { return b.Address(n) + "/24" }

// Gateway returns the address at which hosts and guests reach the machine that runs the bed.
func (b *Bed) Gateway() string { return b.Address(1) }

// Folder returns the bed's scratch folder. A file in it has the same path inside of every host.
func (b *Bed) Folder() string { return b.record.folder() }

// Host returns a host that was started in this bed.
func (b *Bed) Host(name string) (*Host, bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	host, found := b.hosts[name]
	return host, found
}

func (b *Bed) prefix() string { return b.record.prefix() }

// mac returns a locally administered MAC, unique by kind and number within the machine.
func (b *Bed) mac(number, kind int) string {
	return fmt.Sprintf("02:77:%02x:00:%02x:%02x", b.record.Subnet, kind, number)
}

func (b *Bed) logf(format string, arguments ...any) {
	fmt.Fprintf(b.log, format+"\n", arguments...)
}

// hostsFile is /etc/hosts of every host of the bed.
func (b *Bed) hostsFile() string { return filepath.Join(b.Folder(), "hosts") }

// writeHosts names all hosts. libvirtd resolves its own name whenever a machine starts, and a migration the other
// host's; with no answer each waits ten seconds for a DNS server. The file is written in place, since it is mounted
// in hosts that run already.
func (b *Bed) writeHosts() error {
	var text strings.Builder
	text.WriteString("127.0.0.1 localhost\n")
	for _, host := range b.record.Hosts {
		fmt.Fprintln(&text, b.Address(host.Number), host.Name)
	}
	if err := os.WriteFile(b.hostsFile(), []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("name the hosts of bed %s: %w", b.record.ID, err)
	}
	return nil
}
