package hypervisor_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

// stored is all that a host keeps beside machines: a pool, in it an image of each source, an empty volume that grows and one that
// a machine has, a snapshot of that machine, which does not run, and a network. One comes after the other, so that a subject's
// calls have an order.
const stored = `
resource "hypervisor_pool" %[1]q {
  provider  = %[2]s
  host      = %[1]q
  name      = %[1]q
  type      = "dir"
  path      = "/var/lib/libvirt/%[1]s"
  autostart = %[7]t
}

resource "hypervisor_volume" "%[1]s-file" {
  provider = %[2]s
  host     = %[1]q
  pool     = hypervisor_pool.%[1]s.name
  name     = "%[1]s-file.qcow2"
  source   = { file = %[3]q }
}

resource "hypervisor_volume" "%[1]s-http" {
  provider   = %[2]s
  host       = %[1]q
  pool       = hypervisor_pool.%[1]s.name
  name       = "%[1]s-http.qcow2"
  source     = { url = %[4]q, checksum = %[5]q }
  depends_on = [hypervisor_volume.%[1]s-file]
}

resource "hypervisor_volume" "%[1]s-empty" {
  provider   = %[2]s
  host       = %[1]q
  pool       = hypervisor_pool.%[1]s.name
  name       = "%[1]s-empty.qcow2"
  size       = %[8]q
  depends_on = [hypervisor_volume.%[1]s-http]
}

resource "hypervisor_volume" "%[1]s-disk" {
  provider   = %[2]s
  host       = %[1]q
  pool       = hypervisor_pool.%[1]s.name
  name       = "%[1]s-disk.qcow2"
  size       = "1MiB"
  depends_on = [hypervisor_volume.%[1]s-empty]
}

resource "hypervisor_vm" %[1]q {
  provider    = %[2]s
  name        = %[1]q
  host        = %[1]q
  domain_type = %[6]q
  machine     = "pc"
  memory      = "32MiB"
  running     = false
  cpu         = { count = 1 }
  disks       = { root = { volume = hypervisor_volume.%[1]s-disk.id } }
}

resource "hypervisor_snapshot" %[1]q {
  provider = %[2]s
  host     = %[1]q
  vm       = hypervisor_vm.%[1]s.id
  name     = %[1]q
  revert   = %[8]q
}

resource "hypervisor_network" %[1]q {
  provider   = %[2]s
  host       = %[1]q
  name       = %[1]q
  mode       = "isolated"
  addresses  = ["10.91.%[9]d.1/24"]
  autostart  = %[7]t
  dhcp       = { ranges = [{ start = "10.91.%[9]d.100", end = "10.91.%[9]d.%[10]d" }] }
  depends_on = [hypervisor_snapshot.%[1]s]
}
`

func TestCrashAtEveryCallForStorageAndNetworksIsRepairedByTheNextApply(t *testing.T) {
	image, kind := emptyImage(t), testbed.DomainTypeFor(t)
	sum := sha256.Sum256([]byte(read(t, image)))

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, image) }))
	defer server.Close()

	walk(t, scene{
		name: "storage",
		declare: func(s subject, provider string, changed bool) string {
			size, last := "1MiB", 150
			if changed {
				size, last = "2MiB", 200
			}

			return fmt.Sprintf(stored, s.name, provider, image, server.URL+"/image.qcow2", "sha256:"+hex.EncodeToString(sum[:]), kind, !changed, size, s.number, last)
		},
		want: func(t *testing.T, host *testbed.Host, subjects []subject, _ map[string]string) {
			wantStored(t, host, subjects, image)
		},
	}, testbed.Hosts(t, "alpha", "beta"), stride(t, 45))
}

// wantStored checks that a host has the pools with their volumes, the networks, the machines and their snapshots of the subjects.
func wantStored(t *testing.T, host *testbed.Host, subjects []subject, image string) {
	t.Helper()

	pools := []string{"default"}

	var names []string

	for _, s := range subjects {
		names, pools = append(names, s.name), append(pools, s.name)
	}

	slices.Sort(names)
	slices.Sort(pools)
	wantNames(t, host, names, nil)
	wantList(t, host, names, "net-list", "--name")
	wantList(t, host, names, "net-list", "--all", "--name")
	wantList(t, host, pools, "pool-list", "--name")
	wantList(t, host, pools, "pool-list", "--all", "--name")

	for _, name := range names {
		wantList(t, host, []string{name}, "snapshot-list", name, "--name")

		folder := filepath.Join(host.Folder(), "lib", name)

		var files []string

		for _, kind := range []string{"disk", "empty", "file", "http"} {
			files = append(files, fmt.Sprintf("%s-%s.qcow2", name, kind))
		}

		wantFiles(t, folder, files)

		for _, kind := range []string{"file", "http"} {
			if copied := filepath.Join(folder, fmt.Sprintf("%s-%s.qcow2", name, kind)); !same(t, copied, image) {
				t.Errorf("%s is not the image", copied)
			}
		}
	}

	folders, err := filepath.Glob(filepath.Join(host.Folder(), "lib", "*-[0-9][0-9][0-9]"))
	if err != nil {
		t.Fatal(err)
	}

	for _, folder := range folders { // a pool's folder outlives the pool
		if !slices.Contains(names, filepath.Base(folder)) {
			wantFiles(t, folder, nil)
		}
	}
}

// wantList checks the names that a command of virsh prints.
func wantList(t *testing.T, host *testbed.Host, want []string, arguments ...string) {
	t.Helper()

	got := strings.Fields(virsh(t, host, arguments...))
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("virsh %v on %s prints %v, want %v", arguments, host.Name(), got, want)
	}
}

// wantFiles checks what a folder has.
func wantFiles(t *testing.T, folder string, want []string) {
	t.Helper()

	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Error(err)
	}

	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}

	if !slices.Equal(got, want) {
		t.Errorf("%s has %v, want %v", folder, got, want)
	}
}
