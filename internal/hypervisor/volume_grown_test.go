package hypervisor_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// larger is volumes that are larger than the images that they were made from: of a file and of an address, and a raw one.
const larger = `
terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "size" { type = string }

provider "hypervisor" {
  hosts = { alpha = { uri = %[1]q } }
}

resource "hypervisor_volume" "file" {
  host   = "alpha"
  name   = "file.qcow2"
  size   = var.size
  source = { file = %[2]q }
}

resource "hypervisor_volume" "http" {
  host   = "alpha"
  name   = "http.qcow2"
  size   = var.size
  source = { url = %[3]q, checksum = %[4]q }
}

resource "hypervisor_volume" "raw" {
  host   = "alpha"
  name   = "raw.img"
  size   = "2MiB"
  source = { file = %[5]q }
}
`

// TestGrownVolumesAreTakenOverAndImported loses the state of volumes that were grown when they were made, and again later.
func TestGrownVolumesAreTakenOverAndImported(t *testing.T) {
	t.Parallel()

	host, image, content := testbed.Hosts(t, "alpha")[0], emptyImage(t), contentFor(t, 64)
	sum := sha256.Sum256([]byte(read(t, image)))
	checksum := "sha256:" + hex.EncodeToString(sum[:])

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, image) }))
	defer server.Close()

	address := server.URL + "/image.qcow2?a=b&c=d"
	source := t.TempDir()
	write(t, filepath.Join(source, "main.tf"), fmt.Sprintf(larger, host.URI(), image, address, checksum, content))

	run, err := cli.New(t.Context(), terraformTool(t), builtProvider(t), source, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	names := []string{"file.qcow2", "http.qcow2", "raw.img"}
	inodes := func() (all []uint64) {
		for _, name := range names {
			all = append(all, inodeOf(t, filepath.Join(host.Folder(), "lib/images", name)))
		}

		return all
	}
	lose := func() {
		if err := os.Remove(filepath.Join(run.Folder, "terraform.tfstate")); err != nil {
			t.Fatal(err)
		}
	}
	size := func(size string) {
		if err := run.SetVariables(map[string]any{"size": size}); err != nil {
			t.Fatal(err)
		}
	}

	size("1GiB")
	mustApply(t, run)

	first := inodes()

	lose()
	mustApply(t, run) // takes them over as they are

	lose()
	size("20GiB")
	mustApply(t, run) // and here grows them, too

	if now := inodes(); fmt.Sprint(now) != fmt.Sprint(first) {
		t.Errorf("The volumes are the files %v, and were %v", now, first)
	}

	lose()

	for to, id := range map[string]string{
		"file": "file.qcow2?file=" + image,
		"http": "http.qcow2?checksum=" + checksum + "&url=" + address,
		"raw":  "raw.img?file=" + content,
	} {
		if _, err := run.Run(t.Context(), "import", "-no-color", "hypervisor_volume."+to, "alpha/default/"+id); err != nil {
			t.Fatal(err)
		}
	}

	if changes, text, err := run.Plan(t.Context()); err != nil || changes {
		t.Errorf("The plan after the import is not empty (%v):\n%s", err, text)
	}

	if err := run.Destroy(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	wantNames(t, host, nil, nil)
}
