package hypervisor_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

// crashed is a machine with all that one consists of: an image, an overlay on it, a seed, and CPUs of its own.
const crashed = `
resource "hypervisor_volume" "%[1]s-image" {
  provider = %[2]s
  host     = %[1]q
  name     = "%[1]s-image.qcow2"
  source   = { file = %[3]q }
}

resource "hypervisor_volume" "%[1]s-root" {
  provider = %[2]s
  host     = %[1]q
  name     = "%[1]s-root.qcow2"
  backing  = hypervisor_volume.%[1]s-image.id
  size     = %[5]q
}

resource "hypervisor_vm" %[1]q {
  provider         = %[2]s
  name             = %[1]q
  host             = %[1]q
  domain_type      = %[4]q
  machine          = "pc"
  memory           = "32MiB"
  shutdown_timeout = "0s"
  cpu              = { pins = [%[6]q], emulator = "0-1" }
  autostart        = %[7]t
  disks            = { root = { volume = hypervisor_volume.%[1]s-root.id } }
  interfaces       = { lan = { bridge = "br0" } }
  cloud_init       = { user_data = "#!/bin/sh\n" }
}
`

// emptyImage makes an image without content.
func emptyImage(t *testing.T) string {
	t.Helper()

	image := filepath.Join(t.TempDir(), "image.qcow2")
	if output, err := exec.CommandContext(t.Context(), "qemu-img", "create", "-q", "-f", "qcow2", image, "1M").CombinedOutput(); err != nil {
		t.Fatalf("Unable to make an image: %v\n%s", err, output)
	}

	return image
}

// wantWhole checks that the host's machines run, are those of the state, and have nothing unfinished about them.
func wantWhole(t *testing.T, host *testbed.Host, uri string, ids map[string]string) {
	t.Helper()

	client := libvirt.NewHost(host.Name(), libvirt.Config{URI: uri, ConnectTimeout: time.Minute})

	domains, err := client.Domains(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	for _, domain := range domains {
		if domain.UUID != ids[domain.Name] || !domain.Running {
			t.Errorf("%s has the UUID %s on the host and %s in the state, and runs: %t", domain.Name, domain.UUID, ids[domain.Name], domain.Running)
		}

		for _, text := range []string{domain.XML, domain.LiveXML} {
			spec, err := domainxml.Parse(text)
			if err != nil {
				t.Fatal(err)
			}

			if mark := spec.Mark; !mark.Complete || mark.Claim != (domainxml.Claim{}) || mark.Leaving {
				t.Errorf("%s is marked as unfinished: %+v", domain.Name, mark)
			}
		}
	}
}

func TestCrashAtEveryCallIsRepairedByTheNextApply(t *testing.T) {
	image, kind := emptyImage(t), testbed.DomainTypeFor(t)

	walk(t, scene{
		name: "machine",
		declare: func(s subject, provider string, changed bool) string {
			core, size := 2+2*s.number, "1MiB" // beside those of the emulators
			if changed {
				core, size = core+1, "2MiB"
			}

			return fmt.Sprintf(crashed, s.name, provider, image, kind, size, fmt.Sprint(core), !changed)
		},
		want: func(t *testing.T, host *testbed.Host, subjects []subject, ids map[string]string) {
			var machines, volumes []string

			for _, s := range subjects {
				machines = append(machines, s.name)
				volumes = append(volumes, s.name+"-image.qcow2", s.name+"-root.qcow2", s.name+".seed")
			}

			slices.Sort(machines)
			slices.Sort(volumes)
			wantNames(t, host, machines, volumes)
			wantWhole(t, host, host.URI(), ids)
		},
	}, servers256(t, 4), stride(t, 12))
}
