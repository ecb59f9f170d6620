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

// certify gives a host's QEMU a certificate of the authority for its moves. It is read for each of them.
func certify(t *testing.T, host *testbed.Host, authority *testbed.Authority) {
	t.Helper()

	cert, key, err := authority.Issue(host.Name(), host.Address())
	if err != nil {
		t.Fatal(err)
	}

	for from, to := range map[string][]string{
		authority.CAFile(): {"ca-cert.pem"}, cert: {"server-cert.pem", "client-cert.pem"}, key: {"server-key.pem", "client-key.pem"},
	} {
		for _, name := range to {
			write(t, filepath.Join(certificates(host), name), read(t, from))
		}
	}
}

func certificates(host *testbed.Host) string { return filepath.Join(host.Folder(), "pki") }

func newAuthority(t *testing.T) *testbed.Authority {
	t.Helper()

	authority, err := testbed.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	return authority
}

// TestMoveIsEncryptedAndTheHostsAreVerified shows that a move is encrypted by that it fails for a certificate that is not the
// other host's.
func TestMoveIsEncryptedAndTheHostsAreVerified(t *testing.T) {
	hosts := testbed.Hosts(t, "alpha", "beta")
	ours, theirs := newAuthority(t), newAuthority(t)

	for _, host := range hosts {
		if err := os.Mkdir(certificates(host), 0o700); err != nil {
			t.Fatal(err)
		}

		conf := filepath.Join(host.Folder(), "etc/qemu.conf")
		write(t, conf, read(t, conf)+fmt.Sprintf("migrate_tls_x509_cert_dir = %q\nmigrate_tls_x509_verify = 1\n", certificates(host)))

		if err := host.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	certify(t, hosts[0], ours)
	certify(t, hosts[1], theirs)

	file, kind := contentFor(t, 1024), testbed.DomainTypeFor(t)
	on := func(host string) string {
		return onHosts(fmt.Sprintf(mover, host, "default", file, kind, `migration = { tls = true }`), hosts...)
	}
	first := 0

	run(t,
		resource.TestStep{Config: on("alpha"), Check: check(func() { first = pid(t, hosts[0]) })},
		resource.TestStep{
			Config:      on("beta"),
			ExpectError: flexible(`The certificate hasn't got a known issuer. The machine stays on host "alpha" as it was, and host "beta" has nothing of it`),
		},
		resource.TestStep{
			PreConfig: func() {
				if now := pid(t, hosts[0]); now != first || virsh(t, hosts[0], "domstate", "m1") != "running" {
					t.Errorf("The machine has the process %d after it did not move, and had %d, or does not run", now, first)
				}

				wantNames(t, hosts[1], nil, nil)
				certify(t, hosts[1], ours)
			},
			Config:           on("beta"),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantNames(t, hosts[0], nil, nil)
				wantNames(t, hosts[1], []string{"m1"}, []string{"m1.img", "m1.seed"})
				wantContent(t, hosts[1], file)
			}),
		},
	)
}

// restless is a machine on storage that both hosts have, whose guest writes to its memory faster than that is sent.
const restless = `
resource "hypervisor_volume" "root" {
  host   = %[1]q
  pool   = "shared"
  name   = "m1.qcow2"
  source = { file = %[2]q }
}

resource "hypervisor_vm" "test" {
  name        = "m1"
  host        = %[1]q
  domain_type = %[3]q
  memory      = "128MiB"
  cpu         = { pins = ["1"], emulator = "0" }
  disks       = { root = { volume = hypervisor_volume.root.id } }
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
      runcmd:
        - dd if=/dev/zero of=/restless bs=1M count=16
        - (while true; do dd if=/dev/zero of=/restless bs=64k count=256 conv=notrunc; done) >/dev/null 2>&1 &
        - httpd -p 80 -h /www
    EOT
    network = { lan = { addresses = [%[4]q], gateway = %[5]q } }
  }
  wait_for  = { tcp = "%[6]s:80" }
  migration = { post_copy = true, bandwidth = "16MiB" }
}
`

func TestGuestThatNeverRestsMovesByPostCopy(t *testing.T) {
	hosts := testbed.Hosts(t, "alpha", "beta")
	bed := hosts[0].Bed()
	address := bed.Address(101)
	sharePool(t, hosts)

	on := func(host string) string {
		return onHosts(fmt.Sprintf(restless, host, testbed.ImageFor(t), testbed.DomainTypeFor(t), bed.CIDR(101), bed.Gateway(), address), hosts...)
	}
	before := 0.0

	run(t,
		resource.TestStep{Config: on("alpha"), Check: check(func() { before = uptime(t, address) })},
		resource.TestStep{
			Config:           on("beta"),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				if now := uptime(t, address); now <= before {
					t.Errorf("The guest is up for %.1f s, and was for %.1f s before it moved", now, before)
				}

				wantNames(t, hosts[0], nil, nil)

				if job := virsh(t, hosts[1], "domjobinfo", "m1", "--completed"); !strings.Contains(job, "Postcopy requests") {
					t.Errorf("The guest fetched nothing of its memory after it went on:\n%s", job)
				}
			}),
		},
	)
}
