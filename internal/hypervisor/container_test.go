package hypervisor_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// containerHost is a host that is reached as one of containers.
func containerHost(t *testing.T) *testbed.Host {
	t.Helper()

	host, err := testbed.For(t).StartHost(t.Context(), testbed.HostOptions{Name: "alpha", Containers: true})
	if err != nil {
		t.Fatal(err)
	}

	return host
}

func onContainers(host *testbed.Host, configuration string) string {
	return fmt.Sprintf("provider \"hypervisor\" {\n  hosts = { alpha = { uri = %q } }\n}\n%s", host.ContainerURI(), configuration)
}

// unpacked is a container that is made from an archive and has an address of the bed's.
func unpacked(t *testing.T, host *testbed.Host, rest string) string {
	t.Helper()

	return onContainers(host, fmt.Sprintf(`
resource "hypervisor_volume" "rootfs" {
  host   = "alpha"
  name   = "rootfs.tar.gz"
  source = { file = %q }
}

resource "hypervisor_vm" "test" {
  name       = "box"
  host       = "alpha"
  container  = { archive = hypervisor_volume.rootfs.id }
  interfaces = { lan = { bridge = "br0" } }
  cloud_init = { network = { lan = { addresses = [%q], gateway = %q } } }
  wait_for   = { tcp = "%s:80" }
  timeouts   = { create = "3m", update = "3m", delete = "3m" }
  %s
}
`, testbed.ArchiveFor(t), host.Bed().CIDR(120), host.Bed().Gateway(), host.Bed().Address(120), rest))
}

func TestContainerLivesThroughAllItsChanges(t *testing.T) {
	host := containerHost(t)
	address := host.Bed().Address(120)
	first, second := 0, 0

	changed := unpacked(t, host, "memory = \"96MiB\"\n  cpu = { count = 2 }")
	moved := unpacked(t, host, "memory = \"96MiB\"\n  cpu = { count = 2, emulator = \"1\" }\n  allow_change = \"reboot\"")

	run(t,
		resource.TestStep{
			Config: unpacked(t, host, "memory = \"64MiB\"\n  cpu = { count = 1 }"),
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(vmAddress, "domain_type", "lxc"),
				resource.TestCheckNoResourceAttr(vmAddress, "machine"),
				resource.TestCheckResourceAttr(vmAddress, "container.init.0", "/sbin/init"),
				resource.TestCheckResourceAttr(vmAddress, "addresses.lan.0", address),
				resource.TestCheckResourceAttr(vmAddress, "cpu.exclusive", "false"),
				check(func() {
					wantAnswer(t, address, "box")
					wantLimits(t, host, 64<<20, 100_000)

					first = initPID(t, host, "box")
				}),
			),
		},
		resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/box", ImportStateVerify: true},
		resource.TestStep{
			Config:           changed,
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantLimits(t, host, 96<<20, 200_000)

				if now := initPID(t, host, "box"); now != first {
					t.Errorf("The container has the process %d after its limits changed, and had %d", now, first)
				}
			}),
		},
		resource.TestStep{ // drift: only what runs has less
			PreConfig:        func() { lxc(t, host, "memtune", "box", "--hard-limit", "65536", "--live") },
			Config:           changed,
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check:            check(func() { wantLimits(t, host, 96<<20, 200_000) }),
		},
		resource.TestStep{ // drift: only the next start would have less
			PreConfig:        func() { lxc(t, host, "schedinfo", "box", "--config", "vcpu_quota=100000") },
			Config:           changed,
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
		},
		resource.TestStep{
			Config:      strings.Replace(moved, `allow_change = "reboot"`, "", 1),
			ExpectError: regexp.MustCompile(`(?s)cpu\.emulator: reboot, since libvirt gives it its CPUs when it starts`),
		},
		resource.TestStep{
			Config:           moved,
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantAnswer(t, address, "box")

				if second = initPID(t, host, "box"); second == first {
					t.Error("The container was not restarted, and libvirt cannot move one that runs")
				}

				if got := allowed(t, second); got != "1" {
					t.Errorf("The kernel holds the container to CPUs %s, want 1", got)
				}
			}),
		},
		resource.TestStep{ // it ends behind our back
			PreConfig:        func() { lxc(t, host, "destroy", "box") },
			Config:           moved,
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check:            check(func() { wantAnswer(t, address, "box") }),
		},
		resource.TestStep{ // removed behind our back: what it wrote is there as before
			PreConfig: func() {
				if err := os.WriteFile(filepath.Join(rootOf(host), "www/index.html"), []byte("mine\n"), 0o600); err != nil {
					t.Fatal(err)
				}

				lxc(t, host, "destroy", "box")
				lxc(t, host, "undefine", "box")
			},
			Config:           moved,
			ConfigPlanChecks: planned(plancheck.ResourceActionCreate),
			Check:            check(func() { wantAnswer(t, address, "mine") }),
		},
	)

	wantNothingLeft(t, host)
}

func rootOf(host *testbed.Host) string { return filepath.Join(host.Folder(), "lib/images/box.root") }

// wantNothingLeft checks that neither a definition nor a file of the container is there.
func wantNothingLeft(t *testing.T, host *testbed.Host) {
	t.Helper()

	if names := lxc(t, host, "list", "--all", "--name"); names != "" {
		t.Errorf("The host has the containers %q, want none", names)
	}

	left, err := filepath.Glob(filepath.Join(host.Folder(), "lib/images/*"))
	if err != nil || len(left) > 0 {
		t.Errorf("The pool has %q, want nothing (%v)", left, err)
	}
}

func lxc(t *testing.T, host *testbed.Host, arguments ...string) string {
	t.Helper()

	output, err := exec.CommandContext(t.Context(), "virsh", append([]string{"-q", "-c", host.ContainerURI()}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("virsh %v on %s: %v\n%s", arguments, host.Name(), err, output)
	}

	return strings.TrimSpace(string(output))
}

func wantAnswer(t *testing.T, address, want string) {
	t.Helper()

	// A connection to a container that is gone would be used for the next one at its address.
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

	response, err := client.Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()

	content, err := io.ReadAll(response.Body)
	if got := strings.TrimSpace(string(content)); err != nil || got != want {
		t.Errorf("The container answers %q, %v; want %q", got, err, want)
	}
}

// initPID is a container's first process, as its host numbers it.
func initPID(t *testing.T, host *testbed.Host, name string) int {
	t.Helper()

	var pid int
	if _, err := fmt.Sscan(lxc(t, host, "domid", name), &pid); err != nil { // libvirt numbers containers by their controller's PID
		t.Fatal(err)
	}

	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err == nil {
		_, err = fmt.Sscan(string(children), &pid)
	}

	if err != nil {
		t.Fatal(err)
	}

	return pid
}

func allowed(t *testing.T, pid int) string {
	t.Helper()

	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}

	_, rest, _ := strings.Cut(string(status), "Cpus_allowed_list:")
	line, _, _ := strings.Cut(rest, "\n")

	return strings.TrimSpace(line)
}

// wantLimits checks what libvirt says that the kernel holds the container to.
func wantLimits(t *testing.T, host *testbed.Host, memory, quota int) {
	t.Helper()

	limits := lxc(t, host, "memtune", "box", "--live")
	if want := fmt.Sprintf("hard_limit     : %d", memory/1024); !strings.Contains(limits, want) {
		t.Errorf("The container's memory is limited by %q, want %q", limits, want)
	}

	times := lxc(t, host, "schedinfo", "box", "--live")
	if want := fmt.Sprintf("vcpu_quota     : %d", quota); !strings.Contains(times, want) {
		t.Errorf("The container's time is limited by %q, want %q", times, want)
	}
}
