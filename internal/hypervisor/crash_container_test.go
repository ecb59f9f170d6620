package hypervisor_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
)

// boxed is a container with a root file system of its own, unpacked from an archive.
const boxed = `
resource "hypervisor_volume" %[1]q {
  provider = %[2]s
  host     = %[1]q
  name     = "%[1]s.tar.gz"
  source   = { file = %[3]q }
}

resource "hypervisor_vm" %[1]q {
  provider         = %[2]s
  name             = %[1]q
  host             = %[1]q
  container        = { archive = hypervisor_volume.%[1]s.id }
  shutdown_timeout = "0s"
  memory           = %[4]q
  cpu              = { count = %[5]d }
  autostart        = %[6]t
}
`

func TestCrashAtEveryCallForContainersIsRepairedByTheNextApply(t *testing.T) {
	host, archive := containerHost(t), testbed.ArchiveFor(t)

	walk(t, scene{
		name: "container",
		uri:  func(proxy *wire.Proxy) string { return strings.Replace(proxy.URI(), "qemu+", "lxc+", 1) },
		declare: func(s subject, provider string, changed bool) string {
			memory, count := "64MiB", 1
			if changed {
				memory, count = "96MiB", 2
			}

			return fmt.Sprintf(boxed, s.name, provider, archive, memory, count, !changed)
		},
		want: wantBoxes,
	}, []*testbed.Host{host}, stride(t, 20))
}

// wantBoxes checks that a host has the containers of the subjects, that they run, and that their files are the only ones.
func wantBoxes(t *testing.T, host *testbed.Host, subjects []subject, ids map[string]string) {
	t.Helper()

	var names, files []string

	for _, s := range subjects {
		names = append(names, s.name)
		files = append(files, s.name+".root", s.name+".root.from", s.name+".tar.gz")

		if root := filepath.Join(host.Folder(), "lib/images", s.name+".root", "sbin/init"); len(read(t, root)) == 0 {
			t.Errorf("%s is empty", root)
		}
	}

	slices.Sort(names)
	slices.Sort(files)

	for _, arguments := range [][]string{{"list", "--name"}, {"list", "--all", "--name"}} {
		got := strings.Fields(lxc(t, host, arguments...))
		if slices.Sort(got); !slices.Equal(got, names) {
			t.Errorf("virsh %v has the containers %v, want %v", arguments, got, names)
		}
	}

	wantFiles(t, filepath.Join(host.Folder(), "lib/images"), files)
	wantWhole(t, host, host.ContainerURI(), ids)
}
