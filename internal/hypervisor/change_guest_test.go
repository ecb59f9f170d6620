package hypervisor_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// reporter is user data that serves what the guest sees of its machine.
const reporter = `#!/bin/sh
mkdir -p /www/cgi-bin
cat >/www/cgi-bin/report <<'CGI'
#!/bin/sh
printf 'Content-type: text/plain\n\n'
echo "boot=$(cat /proc/sys/kernel/random/boot_id) cpus=$(nproc) memory=$(awk '/MemTotal/{print $2}' /proc/meminfo)"
for disk in /sys/block/vd*; do echo "disk=$(cat $disk/serial) sectors=$(cat $disk/size) ro=$(cat $disk/ro)"; done
for device in /sys/bus/pci/devices/*; do echo "pci=$(cat $device/vendor):$(cat $device/device)"; done
for nic in /sys/class/net/e* /sys/class/net/lan; do [ -e $nic ] && echo "nic=$(cat $nic/address)"; done
CGI
chmod +x /www/cgi-bin/report
httpd -p 80 -h /www
`

const grown = `
resource "hypervisor_volume" "image" {
  host   = "alpha"
  name   = "image.qcow2"
  source = { file = %q }
}

resource "hypervisor_volume" "root" {
  host    = "alpha"
  name    = "root.qcow2"
  backing = hypervisor_volume.image.id
}

resource "hypervisor_volume" "a" {
  host = "alpha"
  name = "a.qcow2"
  size = "1MiB"
}

resource "hypervisor_volume" "b" {
  host = "alpha"
  name = "b.qcow2"
  size = "2MiB"
}

resource "hypervisor_volume" "c" {
  host = "alpha"
  name = "c.qcow2"
  size = "3MiB"
}

resource "hypervisor_network" "inside" {
  host   = "alpha"
  name   = "inside"
  bridge = "virbr9"
  mode   = "isolated"
}

resource "hypervisor_vm" "test" {
  name             = "m1"
  host             = "alpha"
  domain_type      = %q
  shutdown_timeout = "60s"
  wait_for         = { tcp = "%s:80" }
%s
}
`

// Maker and model of the devices that the test gives its guest by xml.
const (
	watchdogID = "pci=0x8086:0x25ab"
	soundID    = "pci=0x8086:0x293e"
)

// TestGuestGoesOnWhileItsMachineChanges asks the guest what it sees, and whether it is the one that booted first.
func TestGuestGoesOnWhileItsMachineChanges(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	address := host.Bed().Address(150)

	config := func(count int, memory, userData, disks, interfaces, rest string) string {
		seed := fmt.Sprintf("  cloud_init = {\n    network = { lan = { addresses = [%q] } }\n%s\n  }\n", host.Bed().CIDR(150), userData)

		return onHosts(fmt.Sprintf(grown, testbed.ImageFor(t), testbed.DomainTypeFor(t), address, fmt.Sprintf(
			"  cpu = { count = %d, maximum = 2, exclusive = false }\n  memory = %q\n%s  disks = {\n    root = { volume = hypervisor_volume.root.id }\n%s  }\n  interfaces = {\n    lan = { bridge = \"br0\" }\n%s  }\n%s",
			count, memory, seed, disks, interfaces, rest)), host)
	}

	plainData := fmt.Sprintf("    user_data = %q", reporter)
	secretData := fmt.Sprintf("    user_data_wo = %q\n    user_data_wo_version = 1\n    meta_data = { role = \"web\" }", reporter+"# secret\n")
	data := "    data = { volume = hypervisor_volume.a.id }\n"
	watchdog := "  xml = \"<devices><watchdog model='i6300esb' action='none'/></devices>\"\n"
	room := "  memory_maximum = \"192MiB\"\n" + watchdog

	var first guest

	goesOn := func(wants ...string) resource.TestCheckFunc {
		return check(func() { first.goesOn(t, host, address, wants...) })
	}

	run(t,
		resource.TestStep{
			Config: config(1, "192MiB", plainData, data, "", room),
			Check: check(func() {
				first = seen(t, host, address)
				if !strings.Contains(first.text, watchdogID) || strings.Contains(first.text, soundID) {
					t.Errorf("The guest does not have just the device that xml adds:\n%s", first.text)
				}
			}),
		},
		resource.TestStep{ // more vCPUs, less memory, one more disk and interface, another seed
			Config:           config(2, "160MiB", fmt.Sprintf("    user_data = %q", reporter+"# more\n"), data+"    extra = { volume = hypervisor_volume.b.id }\n", "    dmz = { bridge = \"br0\" }\n", room),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: resource.ComposeTestCheckFunc(goesOn("cpus=2", "disk=data sectors=2048 ro=0", "disk=extra sectors=4096 ro=0", "nic=52:54:.*nic=52:54:"), check(func() {
				if now := seen(t, host, address); now.memory >= first.memory-20<<10 {
					t.Errorf("The guest has %d KiB of memory, and had %d", now.memory, first.memory)
				}

				if seed := readSeed(t, host); !strings.HasSuffix(seed.UserData, "# more\n") {
					t.Errorf("The seed has the user data %q", seed.UserData)
				}
			})),
		},
		resource.TestStep{ // another volume, a disk that cannot be written, a cable that is moved, a secret seed
			Config:           config(2, "192MiB", secretData, "    data = { volume = hypervisor_volume.a.id, read_only = true }\n    extra = { volume = hypervisor_volume.c.id }\n", "    dmz = { network = hypervisor_network.inside.name }\n", room),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: resource.ComposeTestCheckFunc(goesOn("cpus=2", "disk=data sectors=2048 ro=1", "disk=extra sectors=6144 ro=0", "nic=52:54:.*nic=52:54:"), check(func() {
				if nics := virsh(t, host, "domiflist", "m1"); !regexp.MustCompile(`network\s+inside`).MatchString(nics) {
					t.Errorf("The interfaces are\n%s", nics)
				}

				if seed := readSeed(t, host); !strings.HasSuffix(seed.UserData, "# secret\n") || seed.MetaData["role"] != "web" {
					t.Errorf("The seed is %+v", seed)
				}
			})),
		},
		resource.TestStep{ // what was plugged in goes; a disk that somebody unplugged comes back
			PreConfig:        func() { virsh(t, host, "detach-disk", "m1", "vdb", "--live") },
			Config:           config(2, "192MiB", secretData, data, "", room),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: resource.ComposeTestCheckFunc(goesOn("cpus=2", "disk=data sectors=2048 ro=0"), check(func() {
				if now := seen(t, host, address); strings.Contains(now.text, "extra") || strings.Count(now.text, "nic=") != 1 {
					t.Errorf("The guest still has what was taken away:\n%s", now.text)
				}
			})),
		},
		resource.TestStep{ // more than there is room for: refused until it is allowed
			Config:      config(2, "224MiB", secretData, data, "", "  memory_maximum = \"224MiB\"\n"+watchdog),
			ExpectError: flexible(`Unable to plan VM "m1" ... allow_change lets a plan disturb this machine up to "live", and this one is of class "reboot". ... memory_maximum: reboot, since ... Set allow_change = "reboot"`),
		},
		resource.TestStep{
			Config:           config(2, "224MiB", secretData, data, "", "  memory_maximum = \"224MiB\"\n  allow_change = \"reboot\"\n  xml = \"<devices><sound model='ich9'/></devices>\"\n"),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				now := seen(t, host, address)
				if now.uuid != first.uuid || now.boot == first.boot || now.memory <= first.memory {
					t.Errorf("The machine %s (boot %s, %d KiB) is %s (boot %s, %d KiB)", first.uuid, first.boot, first.memory, now.uuid, now.boot, now.memory)
				}

				if strings.Contains(now.text, watchdogID) || !strings.Contains(now.text, soundID) {
					t.Errorf("The guest does not have just the device that xml adds:\n%s", now.text)
				}
			}),
		},
	)
}

// TestMachineThatDiesAgainSaysWhatItSaidLast has a guest that powers itself off as long as its seed tells it to.
func TestMachineThatDiesAgainSaysWhatItSaidLast(t *testing.T) {
	t.Parallel()

	host := testbed.Hosts(t, "alpha")[0]
	config := func(running bool, script string) string {
		return onHosts(fmt.Sprintf(`
resource "hypervisor_volume" "image" {
  host   = "alpha"
  name   = "image.qcow2"
  source = { file = %q }
}

resource "hypervisor_volume" "root" {
  host    = "alpha"
  name    = "m1.qcow2"
  backing = hypervisor_volume.image.id
}

resource "hypervisor_vm" "test" {
  name             = "m1"
  host             = "alpha"
  domain_type      = %q
  machine          = "pc"
  memory           = "128MiB"
  shutdown_timeout = "0s"
  running          = %t
  cpu              = { count = 1 }
  disks            = { root = { volume = hypervisor_volume.root.id } }
  interfaces       = { lan = { bridge = "br0" } }
  wait_for         = { tcp = "%s:80" }

  cloud_init = {
    user_data = %q
    network   = { lan = { addresses = [%q] } }
  }
}
`, testbed.ImageFor(t), testbed.DomainTypeFor(t), running, host.Bed().Address(151), "#!/bin/sh\n"+script, host.Bed().CIDR(151)), host)
	}

	const doomed = "echo the database is out of luck >/dev/console\npoweroff -f\n"

	run(t,
		resource.TestStep{Config: config(false, doomed)},
		resource.TestStep{
			Config:      config(true, doomed),
			ExpectError: flexible(`Unable to update VM "m1" ... The machine has stopped by itself. ... The last lines of its console: ... the database is out of luck`),
		},
		resource.TestStep{ // it died, so it is started again, and the seed that it is told by is another one now
			Config:           config(true, "httpd -p 80 -h /www\n"),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check:            resource.TestCheckResourceAttr(vmAddress, "running", "true"),
		},
	)
}

// A guest is what a guest says of itself, and its host of it.
type guest struct {
	uuid, boot string
	pid        int
	memory     int // KiB
	text       string
}

// patience is far more than a guest takes to boot under emulation.
const patience = 3 * time.Minute

// seen asks the guest until it answers.
func seen(t *testing.T, host *testbed.Host, address string) (found guest) {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	if err := poll.Until(ctx, "the guest to report", func(int) error {
		text, err := report(ctx, address)
		found.text = text

		return err
	}); err != nil {
		t.Fatal(err)
	}

	if _, err := fmt.Sscanf(found.text, "boot=%s cpus=%d memory=%d", &found.boot, new(int), &found.memory); err != nil {
		t.Fatalf("the guest reports %q: %v", found.text, err)
	}

	found.uuid, found.pid = virsh(t, host, "domuuid", "m1"), pid(t, host)

	return found
}

func report(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/cgi-bin/report", nil)
	if err != nil {
		return "", err
	}

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("%w: %w", poll.ErrNotYet, err)
	}
	defer response.Body.Close()

	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%w: %s %w", poll.ErrNotYet, response.Status, err)
	}

	return string(body), nil
}

// goesOn checks that the guest is the one that was seen before, and waits until it sees what it should.
func (g guest) goesOn(t *testing.T, host *testbed.Host, address string, wants ...string) {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	if err := poll.Until(ctx, "the guest to see its machine", func(int) error {
		now := seen(t, host, address)
		if now.uuid != g.uuid || now.pid != g.pid || now.boot != g.boot {
			return fmt.Errorf("the machine %s (process %d, boot %s) is %s (process %d, boot %s)", g.uuid, g.pid, g.boot, now.uuid, now.pid, now.boot)
		}

		for _, want := range wants {
			if !regexp.MustCompile("(?s)" + want).MatchString(now.text) {
				return fmt.Errorf("%w: no %q in\n%s", poll.ErrNotYet, want, now.text)
			}
		}

		return nil
	}); err != nil {
		t.Error(err)
	}
}
