package hypervisor_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// traveller is a machine that stands on an image of its host, has data of its own, answers requests, and echoes what it
// is sent. Its guest says how long it is up, and what is on its data disk.
const traveller = `
resource "hypervisor_volume" "alpha" {
  host   = "alpha"
  name   = "image.qcow2"
  source = { file = %[1]q }
}

resource "hypervisor_volume" "beta" {
  host   = "beta"
  name   = "image.qcow2"
  source = { file = %[1]q }
}

resource "hypervisor_volume" "root" {
  host    = %[3]q
  name    = "m1.qcow2"
  backing = hypervisor_volume.%[3]s.id
}

resource "hypervisor_volume" "data" {
  host      = %[3]q
  name      = "m1-data.qcow2"
  size      = "16MiB"
  protected = false
}

resource "hypervisor_vm" "test" {
  name        = "m1"
  host        = %[3]q
  domain_type = %[2]q
  memory      = "128MiB"
  cpu         = { pins = [%[4]q], emulator = %[5]q }
  disks       = { root = { volume = hypervisor_volume.root.id }, data = { volume = hypervisor_volume.data.id } }
  interfaces  = { lan = { bridge = "br0" } }
  cloud_init  = {
    user_data = <<-EOT
      #cloud-config
      write_files:
        - path: /www/cgi-bin/uptime
          permissions: "0755"
          content: |
            #!/bin/sh
            printf 'Content-type: text/plain\n\n'
            cat /proc/uptime
        - path: /www/cgi-bin/write
          permissions: "0755"
          content: |
            #!/bin/sh
            printf 'Content-type: text/plain\n\n'
            echo "$QUERY_STRING" | dd of=/dev/vdb conv=notrunc,fsync 2>&1
      runcmd:
        - httpd -p 80 -h /www
    EOT
    user_data_wo = <<-EOT
      #cloud-config
      write_files:
        - path: /www/cgi-bin/read
          permissions: "0755"
          content: |
            #!/bin/sh
            printf 'Content-type: text/plain\n\n'
            echo 3 >/proc/sys/vm/drop_caches
            head -n 1 /dev/vdb
      runcmd:
        - nc -ll -p 7 -e cat &
    EOT
    user_data_wo_version = 1
    network = { lan = { addresses = [%[6]q], gateway = %[7]q } }
  }
  wait_for = { tcp = "%[8]s:80" }
  %[9]s
}
`

// onRoad is the traveller's configuration on a host.
func onRoad(t *testing.T, hosts []*testbed.Host, host, pin, emulator, rest string) string {
	t.Helper()

	bed := hosts[0].Bed()

	return onHosts(fmt.Sprintf(traveller, testbed.ImageFor(t), testbed.DomainTypeFor(t), host, pin, emulator,
		bed.CIDR(101), bed.Gateway(), bed.Address(101), rest), hosts...)
}

func TestMachineMovesWithItsDisksAsItRuns(t *testing.T) {
	hosts := testbed.Hosts(t, "alpha", "beta")
	address := hosts[0].Bed().Address(101)

	var watching *visitor

	run(t,
		resource.TestStep{
			Config: onRoad(t, hosts, "alpha", "1", "0", ""),
			Check: check(func() {
				ask(t, address, "write?left-at-alpha")

				watching = visit(t, address)
			}),
		},
		resource.TestStep{
			Config:           onRoad(t, hosts, "beta", "0", "1", ""),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				t.Logf("moving to beta: %s", watching.end())
				wantTraveller(t, hosts[1], hosts[0], address, "left-at-alpha", "0", "1")
				ask(t, address, "write?left-at-beta")

				watching = visit(t, address)
			}),
		},
		resource.TestStep{
			Config:           onRoad(t, hosts, "alpha", "1", "0", ""),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				t.Logf("moving back: %s", watching.end())
				wantTraveller(t, hosts[0], hosts[1], address, "left-at-beta", "1", "0")
			}),
		},
	)

	for _, host := range hosts {
		wantNames(t, host, nil, nil)
	}
}

// wantTraveller checks that the traveller is on one host alone, as it ran on the other, with its data and its pins.
func wantTraveller(t *testing.T, at, left *testbed.Host, address, data, pin, emulator string) {
	t.Helper()

	wantNames(t, at, []string{"m1"}, []string{"image.qcow2", "m1-data.qcow2", "m1.qcow2", "m1.seed"})
	wantNames(t, left, nil, []string{"image.qcow2"})
	wantPins(t, at, pin, emulator)

	if got := ask(t, address, "read"); strings.TrimSpace(got) != data {
		t.Errorf("The machine's disk says %q, want %q", got, data)
	}

	if state := virsh(t, at, "dominfo", "m1"); !strings.Contains(state, "Persistent:     yes") || !strings.Contains(state, "Autostart:      enable") {
		t.Errorf("The machine is not as it was: %s", state)
	}

	if chain := virsh(t, at, "dumpxml", "m1"); !strings.Contains(chain, "image.qcow2") {
		t.Errorf("The machine's disk does not stand on its image any more:\n%s", chain)
	}
}
