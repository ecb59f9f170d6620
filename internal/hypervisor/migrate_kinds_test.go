package hypervisor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
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

// restless is a machine on storage that both hosts have, whose guest writes to more of its memory in a second than is sent in
// one.
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
        - path: /www/cgi-bin/boot
          permissions: "0755"
          content: |
            #!/bin/sh
            printf 'Content-type: text/plain\n\n'
            cat /proc/sys/kernel/random/boot_id
      runcmd:
        - dd if=/dev/zero of=/restless bs=1M count=4
        - (while sleep 0.2; do dd if=/dev/zero of=/restless bs=64k count=64 conv=notrunc; done) >/dev/null 2>&1 &
        - httpd -p 80 -h /www
    EOT
    network = { lan = { addresses = [%[4]q], gateway = %[5]q } }
  }
  wait_for  = { tcp = "%[6]s:80" }
  migration = { post_copy = true, bandwidth = "4MiB" }
}
`

// TestGuestThatWritesFasterThanItIsSentMovesByPostCopy tries again where the machine below it spoils it: QEMU without KVM loses
// writes of a guest that is moved, now and then and whichever way it is moved, and on a busy machine a guest may write too
// little for a while.
func TestGuestThatWritesFasterThanItIsSentMovesByPostCopy(t *testing.T) {
	hosts := testbed.Hosts(t, "alpha", "beta")
	sharePool(t, hosts)

	const attempts = 4

	for range attempts {
		err := movesByPostCopy(t, hosts)
		if err == nil {
			return
		}

		t.Log(err)
	}

	t.Errorf("It did not in %d attempts.", attempts)
}

func movesByPostCopy(t *testing.T, hosts []*testbed.Host) (err error) {
	t.Helper()

	bed := hosts[0].Bed()
	address := bed.Address(101)

	on := func(host string) string {
		return onHosts(fmt.Sprintf(restless, host, testbed.ImageFor(t), testbed.DomainTypeFor(t), bed.CIDR(101), bed.Gateway(), address), hosts...)
	}

	var before, events string

	run(t,
		resource.TestStep{Config: on("alpha"), Check: check(func() {
			before = ask(t, address, "boot")
			events = recordEvents(t, hosts[0], "m1")
		})},
		resource.TestStep{
			Config:           on("beta"),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantNames(t, hosts[0], nil, nil)

				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()

				now, unheard := answer(ctx, address, "boot")
				seen, unread := os.ReadFile(events)

				switch {
				case unheard != nil || unread != nil:
					err = errors.Join(unheard, unread)
				case now != before:
					err = fmt.Errorf("the guest's boot is %s, and was %s before it moved", now, before)
				case !strings.Contains(string(seen), "Suspended Post-copy"):
					err = fmt.Errorf("the guest did not go on before all of its memory was there. Its host saw:\n%s", seen)
				}
			}),
		},
	)

	return err
}

// recordEvents returns the file to which what happens to a running machine is written until the test ends.
func recordEvents(t *testing.T, host *testbed.Host, machine string) string {
	t.Helper()

	path := filepath.Join(t.TempDir(), "events")

	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(t.Context())

	recorder := exec.CommandContext(ctx, "virsh", "-q", "-c", host.URI(), "event", "--domain", machine, "--event", "lifecycle", "--loop")
	recorder.Stdout, recorder.Stderr = file, file

	if err := recorder.Start(); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() {
		cancel()

		_ = recorder.Wait() // it was killed
		_ = file.Close()
	})

	limited, done := context.WithTimeout(ctx, patience)
	defer done()

	// It says nothing when it begins to record, so give it something.
	if err := poll.Until(limited, "the recorder to record", func(int) error {
		virsh(t, host, "suspend", machine)
		virsh(t, host, "resume", machine)

		seen, err := os.ReadFile(path)
		if err == nil && !strings.Contains(string(seen), "Resumed") {
			err = fmt.Errorf("%w: it has recorded %q", poll.ErrNotYet, seen)
		}

		return err
	}); err != nil {
		t.Fatal(err)
	}

	return path
}
