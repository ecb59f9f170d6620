package modules_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

// lan is a switch with machines, each a network of its own in which a program runs as on a guest: at the address that the module
// gave it, and with a loopback of its own.
type lan struct {
	bed *testbed.Bed
	id  string
}

// machine is one of them.
type machine struct {
	lan                                    *lan
	name, address, namespace, folder, port string
}

// newLAN makes the switch, in a network of its own too.
func newLAN(t *testing.T) *lan {
	t.Helper()

	bed := testbed.For(t)
	l := &lan{bed: bed, id: fmt.Sprintf("modules-%d-", os.Getpid())}

	l.namespace(t, l.id+"switch")
	ip(t, "-n", l.id+"switch", "link", "add", "name", "sw0", "type", "bridge")
	ip(t, "-n", l.id+"switch", "link", "set", "sw0", "up")

	return l
}

func (l *lan) namespace(t *testing.T, name string) {
	t.Helper()

	ip(t, "netns", "add", name)
	t.Cleanup(func() {
		if output, err := exec.Command("ip", "netns", "delete", name).CombinedOutput(); err != nil {
			t.Errorf("Unable to remove a network: %v: %s", err, output)
		}
	})
}

// add makes a machine with what it was told in a folder: paths of /etc, /srv, /usr/local/sbin and /var in the texts
// lead there.
func (l *lan) add(t *testing.T, name, address string, told guest, replacements ...string) *machine {
	t.Helper()

	m := &machine{
		lan: l, name: name, address: address, namespace: l.id + name, folder: filepath.Join(l.bed.Folder(), name),
		port: "port" + address[strings.LastIndex(address, ".")+1:],
	}

	l.namespace(t, m.namespace)
	ip(t, "-n", l.id+"switch", "link", "add", "name", m.port, "master", "sw0", "type", "veth", "peer", "name", "lan", "netns", m.namespace)
	ip(t, "-n", l.id+"switch", "link", "set", m.port, "up")
	ip(t, "-n", m.namespace, "address", "add", address+"/24", "dev", "lan")

	for _, link := range []string{"lo", "lan"} {
		ip(t, "-n", m.namespace, "link", "set", link, "up")
	}

	var pairs []string
	for _, folder := range []string{"/etc/", "/srv/", "/usr/local/sbin/", "/var/"} {
		pairs = append(pairs, folder, m.folder+folder)
	}

	told.writeTo(t, m.folder, strings.NewReplacer(append(replacements, pairs...)...))

	for _, file := range told.Files {
		if file.Permissions == "0755" {
			if err := os.Chmod(filepath.Join(m.folder, file.Path), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}

	return m
}

// start starts a program on the machine.
func (m *machine) start(t *testing.T, argv ...string) *testbed.Beside {
	t.Helper()

	return m.startAs(t, filepath.Base(argv[0]), argv...)
}

// startAs is start for a program that another one starts, such as env.
func (m *machine) startAs(t *testing.T, name string, argv ...string) *testbed.Beside {
	t.Helper()

	return startBeside(t, m.lan.bed, m.name+"-"+name, append([]string{"nsenter", "--net=" + m.network()}, argv...)...)
}

// startBeside starts a program, and shows the end of what it printed if the test fails.
func startBeside(t *testing.T, bed *testbed.Bed, name string, argv ...string) *testbed.Beside {
	t.Helper()

	server, err := bed.StartBeside(name, argv...)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("The end of what %s printed:\n%s", name, server.LastWords())
		}
	})

	return server
}

// run runs a program on the machine and returns what it printed.
func (m *machine) run(t *testing.T, argv ...string) (string, error) {
	t.Helper()

	command := exec.CommandContext(t.Context(), "nsenter", append([]string{"--net=" + m.network()}, argv...)...)
	output, err := command.CombinedOutput()

	return strings.TrimSpace(string(output)), err
}

// network is the file that stands for the machine's network.
func (m *machine) network() string { return filepath.Join("/run/netns", m.namespace) }

// path is where a file of the guest lies.
func (m *machine) path(path string) string { return filepath.Join(m.folder, path) }

// cut takes the machine off the network, as the loss of its host does.
func (m *machine) cut(t *testing.T) {
	t.Helper()

	ip(t, "-n", m.namespace, "link", "set", "lan", "down")
}

func (m *machine) connect(t *testing.T) {
	t.Helper()

	ip(t, "-n", m.namespace, "link", "set", "lan", "up")
}

// lose lets machines die at once, as their host does. First all of them are off the network, so that nobody is told that a
// connection has ended, and then whatever runs on them is killed.
func (l *lan) lose(t *testing.T, machines ...*machine) {
	t.Helper()

	var down strings.Builder
	for _, m := range machines {
		fmt.Fprintf(&down, "link set %s down\n", m.port)
	}

	command := exec.CommandContext(t.Context(), "ip", "-n", l.id+"switch", "-batch", "-")
	command.Stdin = strings.NewReader(down.String())

	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("Unable to take machines off the network: %v: %s", err, output)
	}

	eventually(t, func() error { return killAll(machines) })
}

// killAll kills the processes on machines, and fails as long as it finds any: one may start another meanwhile.
func killAll(machines []*machine) error {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}

	found := 0

	for _, folder := range processes {
		killed, err := killOn(machines, folder)
		if err != nil {
			return err
		}

		if killed {
			found++
		}
	}

	if found > 0 {
		return fmt.Errorf("%d processes were found on lost machines", found)
	}

	return nil
}

// killOn kills a process if it runs on one of the machines.
func killOn(machines []*machine, folder string) (killed bool, err error) {
	pid, err := strconv.Atoi(filepath.Base(folder))
	if err != nil {
		return false, err
	}

	process, err := os.FindProcess(pid) // first of all: what is looked at afterwards is what is killed
	if err != nil {
		return false, err
	}
	defer func() { _ = process.Release() }()

	network, err := os.Stat(filepath.Join(folder, "ns/net"))
	if err != nil {
		return false, nil // it has ended
	}

	for _, m := range machines {
		own, err := os.Stat(m.network())
		if err != nil {
			return false, err
		}

		if os.SameFile(own, network) {
			_ = process.Kill() // it may end at this moment

			return true, nil
		}
	}

	return false, nil
}

func ip(t *testing.T, arguments ...string) {
	t.Helper()

	if output, err := exec.CommandContext(t.Context(), "ip", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(arguments, " "), err, output)
	}
}
