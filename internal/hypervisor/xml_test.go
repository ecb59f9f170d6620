package hypervisor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// TestOwnXMLIsKeptMissedAndTakenAway walks xml on a machine that is off. TestGuestGoesOnWhileItsMachineChanges has a guest see it.
func TestOwnXMLIsKeptMissedAndTakenAway(t *testing.T) {
	const (
		watchdog = `<watchdog model='i6300esb' action='reset'/>`
		others   = `<input type='tablet' bus='usb'/>`
	)

	host := testbed.Hosts(t, "alpha")[0]
	config := func(xml string) string {
		return onHosts(fmt.Sprintf(machine, "m1", testbed.DomainTypeFor(t), fmt.Sprintf("cpu = { count = 1 }\n  running = false\n  xml = %s", xml)), host)
	}
	own := fmt.Sprintf("<<-EOT\n    <devices>\n      %s\n    </devices>\n    <clock offset='localtime'/>\n  EOT\n", watchdog)
	has := func(want bool, texts ...string) resource.TestCheckFunc {
		return check(func() {
			text := virsh(t, host, "dumpxml", "m1")
			for _, part := range texts {
				if strings.Contains(text, strings.Trim(part, "</>")) != want {
					t.Errorf("%s: there %t, want %t, in\n%s", part, !want, want, text)
				}
			}
		})
	}

	// redefined is what somebody does with virsh edit.
	redefined := func(change func(text string) string) {
		path := filepath.Join(t.TempDir(), "m1.xml")
		if err := os.WriteFile(path, []byte(change(virsh(t, host, "dumpxml", "--inactive", "m1"))), 0o600); err != nil {
			t.Fatal(err)
		}

		virsh(t, host, "define", path)
	}

	run(t,
		resource.TestStep{Config: config(own), Check: has(true, watchdog, "offset='localtime'")},
		resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/m1", ImportStateVerify: true},
		resource.TestStep{ // in other words it is the same
			Config:   config(`"<clock offset=\"localtime\"/><devices><watchdog action='reset' model='i6300esb'></watchdog></devices>"`),
			PlanOnly: true,
		},
		resource.TestStep{ // one that somebody takes away is missed, and what somebody adds is left alone
			PreConfig: func() {
				redefined(func(text string) string {
					begin := strings.Index(text, "<watchdog")
					end := begin + strings.Index(text[begin:], "</watchdog>")

					return strings.Replace(text[:begin]+text[end+len("</watchdog>"):], "</devices>", others+"</devices>", 1)
				})
			},
			Config:           config(own),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check:            has(true, watchdog, "offset='localtime'", "<input type='tablet'"),
		},
		resource.TestStep{ // what the host would keep in other words is refused, and all is as it was
			Config:      config(`"<memtune><hard_limit unit='GiB'>1</hard_limit></memtune>"`),
			ExpectError: flexible(`Unable to update VM "m1" ... The attribute xml says <memtune><hard_limit unit='GiB'>1</hard_limit></memtune>, which the host keeps as <memtune><hard_limit unit='KiB'>1048576</hard_limit></memtune>. Write it as the host keeps it`),
		},
		resource.TestStep{Config: config(own), ConfigPlanChecks: planned(plancheck.ResourceActionNoop), Check: has(true, watchdog)},
		resource.TestStep{
			Config:           config("null"),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check:            resource.ComposeTestCheckFunc(has(false, watchdog, "offset='localtime'"), has(true, "<input type='tablet'")),
		},
	)

	wantNames(t, host, nil, nil)
}
