package testbed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// crashing makes the test binary open a bed of that name, or without one if it is "-", say which, and die without
// closing it.
const crashing = "HYPERVISOR_TESTBED_CRASH"

func TestMain(m *testing.M) {
	if name := os.Getenv(crashing); name != "" {
		crash(strings.TrimPrefix(name, "-"))
	}
	os.Exit(m.Run())
}

func crash(name string) {
	ctx, report := context.Background(), os.NewFile(3, "report")
	bed, err := Open(ctx, Options{Name: name, Log: os.Stderr})
	if err == nil {
		err = crowd(ctx, bed)
	}
	if err == nil {
		_, err = bed.StartConsul(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(report, bed.record.ID)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// crowd starts a host on which a container runs.
func crowd(ctx context.Context, bed *Bed) error {
	host, err := bed.StartHost(ctx, HostOptions{Name: "alpha", Containers: true})
	if err != nil {
		return err
	}
	return startContainer(ctx, host, "box")
}

// traces lists what of a bed still exists on the machine.
func traces(t *testing.T, bed record) []string {
	t.Helper()
	var found []string
	mentions := func(text string) bool {
		return strings.Contains(text, bed.prefix()) || strings.Contains(text, bed.folder())
	}

	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if mentions(link.Name) {
			found = append(found, "link "+link.Name)
		}
	}
	memory, _, err := findMemory()
	if err != nil {
		t.Fatal(err)
	}
	for _, glob := range []string{
		filepath.Join(memory.Folder, bed.prefix()), bed.folder(), "/run/netns/" + bed.prefix() + "*", "/sys/fs/cgroup/" + bed.prefix() + "*", "/sys/fs/cgroup/*/" + bed.prefix() + "*",
	} {
		paths, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, paths...)
	}
	for _, glob := range []string{"/proc/self/mountinfo", "/proc/[0-9]*/cgroup", "/proc/[0-9]*/cmdline"} {
		paths, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err == nil && mentions(string(content)) { // a process may end while we look
				found = append(found, path)
			}
		}
	}
	return found
}

func TestCloseLeavesNothing(t *testing.T) {
	bed, err := Open(t.Context(), Options{Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if err := crowd(t.Context(), bed); err != nil {
		t.Error(err)
	}
	if _, err := bed.StartConsul(t.Context()); err != nil {
		t.Error(err)
	}
	if found := traces(t, bed.record); len(found) < 6 { // folder, netns, links, cgroups, processes
		t.Errorf("of a bed in use only %q is seen", found)
	}

	if err := bed.Close(); err != nil {
		t.Fatal(err)
	}
	if found := traces(t, bed.record); len(found) > 0 {
		t.Errorf("after Close there are %q", found)
	}
	if err := bed.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

// openAndCrash lets another process open a bed and die, and returns the id of the bed.
func openAndCrash(t *testing.T, name string) record {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	owner := exec.CommandContext(t.Context(), os.Args[0])
	owner.Env = append(os.Environ(), crashing+"="+name)
	owner.Stderr, owner.ExtraFiles = t.Output(), []*os.File{writer}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	id, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatalf("Unable to learn which bed the crashing process opened: %v", err)
	}
	if err := owner.Wait(); err == nil {
		t.Fatal("The process did not crash.")
	}
	return record{ID: strings.TrimSpace(id)}
}

func TestBedOfACrashedRunIsRemovedByTheNext(t *testing.T) {
	crashed := openAndCrash(t, "-")

	For(t)

	if found := traces(t, crashed); len(found) > 0 {
		t.Errorf("after the next Open there are %q", found)
	}
}

func TestNamedBedOutlivesItsProcessUntilItIsClosed(t *testing.T) {
	name := nameForTest(t)
	entry := openAndCrash(t, name)
	For(t) // removes the beds of dead processes, but not this one

	bed, err := Attach(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.Close(); err != nil {
			t.Error(err)
		}
	})
	host, found := bed.Host("alpha")
	if !found {
		t.Fatal("the bed has no host alpha")
	}
	if got := virsh(t, host, "hostname"); strings.TrimSpace(got) != "alpha" {
		t.Errorf("the host says its name is %q", got)
	}
	if _, err := Open(t.Context(), Options{Name: name}); err == nil || !strings.Contains(err.Error(), "already up") {
		t.Errorf("a second Open of the name says %v", err)
	}

	if err := bed.Close(); err != nil {
		t.Fatal(err)
	}
	if found := traces(t, entry); len(found) > 0 {
		t.Errorf("after Close there are %q", found)
	}
	if _, err := Attach(name); !errors.Is(err, ErrNoBed) {
		t.Errorf("Attach to a closed bed says %v", err)
	}
}

func TestClosedBedStartsNothing(t *testing.T) {
	bed, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	host, err := bed.StartHost(t.Context(), HostOptions{Name: "alpha"})
	if err := errors.Join(err, bed.Close()); err != nil {
		t.Fatal(err)
	}
	if err := host.Restart(t.Context()); err == nil {
		t.Error("a host of a closed bed restarted")
	}
	if _, err := bed.StartHost(t.Context(), HostOptions{Name: "beta"}); !errors.Is(err, errClosed) {
		t.Errorf("StartHost says %v", err)
	}
	if _, err := bed.StartConsul(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("StartConsul says %v", err)
	}
	if found := traces(t, bed.record); len(found) > 0 {
		t.Errorf("there are %q", found)
	}
}

// nameForTest returns a name for a bed that says whose it is, after closing those of test runs that were killed: by
// design nothing else ever would.
func nameForTest(t *testing.T) string {
	t.Helper()
	beds, _, err := records()
	if err != nil {
		t.Fatal(err)
	}
	for _, bed := range beds {
		var owner process
		if n, _ := fmt.Sscanf(bed.Name, "test-%d-%d", &owner.PID, &owner.Start); n != 2 || owner.alive() {
			continue
		}
		forgotten, err := Attach(bed.Name)
		if err == nil {
			err = forgotten.Close()
		}
		if err != nil {
			t.Fatalf("Unable to close the bed of an earlier run: %v", err)
		}
	}
	own, err := identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("test-%d-%d", own.PID, own.Start)
}

func TestSubnetInUseIsNotTaken(t *testing.T) {
	address := func(text string) net.Addr {
		ip, network, err := net.ParseCIDR(text)
		if err != nil {
			t.Fatal(err)
		}
		return &net.IPNet{IP: ip, Mask: network.Mask}
	}
	got, err := freeSubnet([]int{1, 3}, []net.Addr{address("127.0.0.1/8"), address("10.77.2.9/24"), address("10.77.4.200/30")})
	if err != nil || got != 5 {
		t.Errorf("freeSubnet returns %d, %v; want 5", got, err)
	}
	if got, err := freeSubnet(nil, []net.Addr{address("10.1.2.3/8")}); err == nil {
		t.Errorf("freeSubnet takes %d from a network of the machine", got)
	}
}

func TestMissingProgramIsNamedWithItsPackage(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Open(t.Context(), Options{})
	if err == nil || !strings.Contains(err.Error(), "apt-get install") || !strings.Contains(err.Error(), "libvirt-daemon-system") {
		t.Errorf("Open without libvirt says %v", err)
	}
}
