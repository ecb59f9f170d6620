//go:build realhost

package realhost_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

const vmAddress = "hypervisor_vm.bound"

// reserve sets huge pages of 2 MiB of a node aside until the test ends.
func reserve(t *testing.T, node, count int) {
	t.Helper()

	file := fmt.Sprintf("/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages", node)

	want(t, fmt.Sprintf("echo %d >%[2]s; cat %[2]s", count, file), strconv.Itoa(count))
	undo(t, "echo 0 >"+file)
}

// letNodesBeRead does until the test ends what the provider says is to be done on hosts with AppArmor.
func letNodesBeRead(t *testing.T) {
	t.Helper()

	const file = "/etc/apparmor.d/local/abstractions/libvirt-qemu"

	undo(t, "true >"+file)
	on(t, "echo '/sys/devices/system/node/** r,' >"+file)
}

// threadOf has the CPUs that the kernel holds the machine's threads of a name to, and their cgroup.
func threadOf(t *testing.T, name string) string {
	t.Helper()

	return strings.Join(strings.Fields(on(t, fmt.Sprintf(`
for task in /proc/$(cat /run/libvirt/qemu/bound.pid)/task/*; do
	case $(cat $task/comm) in %s)
		echo $(sed -n 's/^Cpus_allowed_list://p' $task/status) $(cat /sys/fs/cgroup$(sed -n 's/^0:://p' $task/cgroup)/cpuset.cpus)
	esac
done | sort -u`, name))), " ")
}

func wantThread(t *testing.T, name, cpus string) {
	t.Helper()

	if got := threadOf(t, name); got != cpus+" "+cpus {
		t.Errorf("The kernel and the cgroup hold %s to %q, want both to be %q", name, got, cpus)
	}
}

// pages are how many pages the machine's process has on each node, as "N0=1 N1=2", of the mappings whose line has the pattern.
func pages(t *testing.T, pattern string) string {
	t.Helper()

	return on(t, fmt.Sprintf(`awk '/%s/ { for (i = 1; i <= NF; i++) if ($i ~ /^N[01]=/) { split($i, part, "="); sum[part[1]] += part[2] } }
END { for (node in sum) printf "%%s=%%d ", node, sum[node] }' /proc/$(cat /run/libvirt/qemu/bound.pid)/numa_maps`, pattern))
}

// TestMachineHasHugePagesOfItsNodeAndPinsOnCgroupV2 also changes the pins of the running machine.
func TestMachineHasHugePagesOfItsNodeAndPinsOnCgroupV2(t *testing.T) {
	reserve(t, 1, 40)

	const emulator = "0,2"

	config := func(memory, node, pins string) string {
		return idle("bound", fmt.Sprintf(`memory = %q
  cpu            = { pins = %s, emulator = %q }
  memory_backing = { page_size = "2MiB" }
  numa_nodes     = [{ cpus = "0-1", memory = %q, host_node = %s }]
  allow_change   = "reboot"`, memory, pins, emulator, memory, node))
	}

	first := ""
	process := func() string { return on(t, "cat /run/libvirt/qemu/bound.pid") }

	apply(t,
		resource.TestStep{
			Config:      config("64MiB", "0", `["1", "3"]`),
			ExpectError: flexible(`needs 32 huge pages of 2MiB of NUMA node 0, and host "server" has 0 free for it`),
		},
		resource.TestStep{
			Config:      strings.Replace(config("64MiB", "1", `["1", "3"]`), emulator, "0", 1),
			ExpectError: flexible("they are kept to CPUs 0, of which the node has none. Add one of 2-3 to cpu.emulator"),
		},
		resource.TestStep{ // as Debian has set AppArmor up
			Config:      config("64MiB", "1", `["1", "3"]`),
			ExpectError: flexible(`add the line "/sys/devices/system/node/** r," to /etc/apparmor.d/local/abstractions/libvirt-qemu`),
		},
		resource.TestStep{
			PreConfig: func() { letNodesBeRead(t) },
			Config:    config("64MiB", "1", `["1", "3"]`),
			Check: check(func() {
				first = process()

				want(t, "stat -f -c %T /sys/fs/cgroup", "cgroup2fs")
				wantThread(t, `"CPU 0/"*`, "1")
				wantThread(t, `"CPU 1/"*`, "3")
				wantThread(t, "qemu-system-x86", "0,2")

				if got := pages(t, "huge"); got != "N1=32" {
					t.Errorf("The machine has the huge pages %q, want 32 of node 1", got)
				}
			}),
		},
		imported(vmAddress, "server/bound"),
		resource.TestStep{
			Config: config("64MiB", "1", `["3", "1"]`) + "data \"hypervisor_host\" \"server\" {\n  name = \"server\"\n  depends_on = [hypervisor_vm.bound]\n}\n",
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr("data.hypervisor_host.server", "facts.cpus", "0-3"),
				resource.TestCheckResourceAttr("data.hypervisor_host.server", "facts.nodes.#", "2"),
				resource.TestCheckResourceAttr("data.hypervisor_host.server", "facts.nodes.0.pages.2MiB", "0"),
				resource.TestCheckResourceAttr("data.hypervisor_host.server", "facts.nodes.1.cpus", "2-3"),
				resource.TestCheckResourceAttr("data.hypervisor_host.server", "facts.nodes.1.cores.#", "2"),
				resource.TestCheckResourceAttr("data.hypervisor_host.server", "facts.nodes.1.pages.2MiB", "40"),
				resource.TestCheckResourceAttr("data.hypervisor_host.server", "usage.nodes.1.free_pages.2MiB", "8"),
				check(func() {
					if now := process(); now != first {
						t.Errorf("The machine has the process %s, and had %s", now, first)
					}

					wantThread(t, `"CPU 0/"*`, "3")
					wantThread(t, `"CPU 1/"*`, "1")
				}),
			),
			ConfigPlanChecks: planned(vmAddress, plancheck.ResourceActionUpdate),
		},
		resource.TestStep{ // more than its node has, though there would be enough with its own
			Config:      config("128MiB", "1", `["3", "1"]`),
			ExpectError: flexible(`needs 64 huge pages of 2MiB of NUMA node 1, and host "server" has 40 free for it`),
		},
	)
}

// TestMachineHasLockedMemoryOfItsNodes binds each of the guest's nodes to one of the host's.
func TestMachineHasLockedMemoryOfItsNodes(t *testing.T) {
	letNodesBeRead(t)

	config := func(locked string) string {
		return idle("bound", fmt.Sprintf(`memory = "128MiB"
  cpu            = { pins = ["0", "2"] }
  memory_backing = { locked = %s, preallocated = true }
  numa_nodes = [
    { cpus = "0", memory = "32MiB", host_node = 0 },
    { cpus = "1", memory = "96MiB", host_node = 1 },
  ]
  allow_change = "reboot"
  xml          = "<features><tcg><tb-cache unit='KiB'>16384</tb-cache></tcg></features>"`, locked))
	}
	locked := func() int {
		number, err := strconv.Atoi(on(t, "awk '/^VmLck/ { print $2 }' /proc/$(cat /run/libvirt/qemu/bound.pid)/status"))
		if err != nil {
			t.Fatal(err)
		}

		return number >> 10
	}
	bound := func() {
		if zero, one := pages(t, "bind:0"), pages(t, "bind:1"); zero != fmt.Sprintf("N0=%d", 32<<8) || one != fmt.Sprintf("N1=%d", 96<<8) {
			t.Errorf("The machine has the pages %q of what is bound to node 0, and %q of what is bound to node 1", zero, one)
		}
	}

	apply(t,
		resource.TestStep{
			Config: config("true"),
			Check: check(func() {
				bound()

				if got := locked(); got < 128 {
					t.Errorf("%d MiB of the machine are locked, want all 128 and more", got)
				}
			}),
		},
		imported(vmAddress, "server/bound"),
		resource.TestStep{
			Config:           config("false"),
			ConfigPlanChecks: planned(vmAddress, plancheck.ResourceActionUpdate),
			Check: check(func() {
				bound()

				if got := locked(); got != 0 {
					t.Errorf("%d MiB of the machine are still locked", got)
				}
			}),
		},
	)
}
