package modules_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	lan                     *lan
	name, namespace, folder string
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

// add makes a machine with what it was told in a folder: paths of /etc, /usr/local and /var in the texts lead there.
func (l *lan) add(t *testing.T, name, address string, told guest, replacements ...string) *machine {
	t.Helper()

	number := address[strings.LastIndex(address, ".")+1:]
	m := &machine{lan: l, name: name, namespace: l.id + name, folder: filepath.Join(l.bed.Folder(), name)}

	l.namespace(t, m.namespace)
	ip(t, "-n", l.id+"switch", "link", "add", "name", "port"+number, "master", "sw0", "type", "veth", "peer", "name", "lan", "netns", m.namespace)
	ip(t, "-n", l.id+"switch", "link", "set", "port"+number, "up")
	ip(t, "-n", m.namespace, "address", "add", address+"/24", "dev", "lan")

	for _, link := range []string{"lo", "lan"} {
		ip(t, "-n", m.namespace, "link", "set", link, "up")
	}

	var pairs []string
	for _, folder := range []string{"/etc/", "/usr/local/sbin/", "/var/"} {
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

	name := m.name + "-" + filepath.Base(argv[0])

	server, err := m.lan.bed.StartBeside(name, append([]string{"nsenter", "--net=/run/netns/" + m.namespace}, argv...)...)
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

	command := exec.CommandContext(t.Context(), "nsenter", append([]string{"--net=/run/netns/" + m.namespace}, argv...)...)
	output, err := command.CombinedOutput()

	return strings.TrimSpace(string(output)), err
}

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

func ip(t *testing.T, arguments ...string) {
	t.Helper()

	if output, err := exec.CommandContext(t.Context(), "ip", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(arguments, " "), err, output)
	}
}
