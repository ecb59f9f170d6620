package hypervisor_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// reservePages has the kernel set huge pages of 2 MiB aside, beside those that others use, until the test ends.
func reservePages(t *testing.T, count int) {
	t.Helper()

	const reserved = "/proc/sys/vm/nr_hugepages"

	before := memoryInfo(t, "HugePages_Total")
	missing := count - (memoryInfo(t, "HugePages_Free") - memoryInfo(t, "HugePages_Rsvd"))

	write(t, reserved, strconv.Itoa(before+max(missing, 0)))
	t.Cleanup(func() { write(t, reserved, strconv.Itoa(before)) })

	if free := memoryInfo(t, "HugePages_Free"); free < count {
		t.Fatalf("The kernel has %d huge pages of the %d that the test needs: this machine is short of memory", free, count)
	}
}

// memoryInfo is a number of /proc/meminfo.
func memoryInfo(t *testing.T, name string) int {
	t.Helper()

	return numberIn(t, "/proc/meminfo", name)
}

func numberIn(t *testing.T, path, name string) int {
	t.Helper()

	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	found := regexp.MustCompile(`(?m)^` + name + `:\s+(\d+)`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no %s", path, name)
	}

	number, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}

	return number
}

// TestMachineRunsOnHugePages asks the kernel where the memory of the machine's process comes from.
func TestMachineRunsOnHugePages(t *testing.T) {
	const pages = 16 // of 2 MiB, which is all the memory of the machine

	host := testbed.Hosts(t, "alpha")[0]
	config := func(memory, rest string) string {
		text := fmt.Sprintf(machine, "m1", testbed.DomainTypeFor(t), "cpu = { count = 1 }\n  allow_change = \"reboot\"\n"+rest)

		return onHosts(strings.Replace(text, `"32MiB"`, strconv.Quote(memory), 1), host)
	}
	huge := func() int { return numberIn(t, fmt.Sprintf("/proc/%d/status", pid(t, host)), "HugetlbPages") }
	backed := `  memory_backing = { page_size = "2MiB", preallocated = true }`
	first := 0

	reservePages(t, pages)

	run(t,
		resource.TestStep{
			Config: config("32MiB", backed),
			Check: check(func() {
				first = pid(t, host)
				if got := huge(); got != pages*2048 {
					t.Errorf("The machine's process has %d KiB on huge pages, want %d", got, pages*2048)
				}
			}),
		},
		resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/m1", ImportStateVerify: true},
		resource.TestStep{ // more than there are: refused with the machine running as it was
			Config:      config("1TiB", backed),
			ExpectError: flexible(`Unable to update VM "m1" ... The machine needs 524288 huge pages of 2MiB, and host "alpha" has ... free for it. Reserve more (vm.nr_hugepages), or give the machine less.`),
		},
		resource.TestStep{
			Config:           config("32MiB", backed),
			ConfigPlanChecks: planned(plancheck.ResourceActionNoop),
			Check: check(func() {
				if now := pid(t, host); now != first {
					t.Errorf("The machine has the process %d, and had %d", now, first)
				}
			}),
		},
		resource.TestStep{
			Config:           config("32MiB", ""),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				if got := huge(); got != 0 {
					t.Errorf("The machine's process still has %d KiB on huge pages", got)
				}
			}),
		},
	)
}
