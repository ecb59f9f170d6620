package hypervisor_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

const downloaded = `
resource "hypervisor_volume" "image" {
  host   = "alpha"
  name   = "image.qcow2"
  source = { url = "%s/image.qcow2?signature=secret", checksum = "sha256:%s" }
}
`

func TestVolumeIsDownloadedAndVerified(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]

	content, err := os.ReadFile(testbed.ImageFor(t))
	if err != nil {
		t.Fatal(err)
	}

	var served atomic.Int64

	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		http.ServeFile(w, r, testbed.ImageFor(t))
	})
	plain, encrypted := httptest.NewServer(serve), httptest.NewTLSServer(serve)

	defer plain.Close()
	defer encrypted.Close()

	sum := sha256.Sum256(content)
	right := onHosts(fmt.Sprintf(downloaded, plain.URL, hex.EncodeToString(sum[:])), host)

	run(t,
		resource.TestStep{
			Config:      onHosts(fmt.Sprintf(downloaded, encrypted.URL, hex.EncodeToString(sum[:])), host),
			ExpectError: flexible(`Download the image ` + encrypted.URL + `/image.qcow2: tls: failed to verify certificate`),
		},
		resource.TestStep{
			Config:      onHosts(fmt.Sprintf(downloaded, plain.URL, strings.Repeat("0", 64)), host),
			ExpectError: flexible(`The image ` + plain.URL + `/image.qcow2 has the checksum sha256:` + hex.EncodeToString(sum[:])),
		},
		resource.TestStep{
			PreConfig: func() { served.Store(0) },
			Config:    right,
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr("hypervisor_volume.image", "size", "24MiB"),
				resource.TestCheckResourceAttr("hypervisor_volume.image", "format", "qcow2"),
				resource.TestCheckResourceAttr("hypervisor_volume.image", "sha256", hex.EncodeToString(sum[:])),
				check(func() {
					copied := filepath.Join(t.TempDir(), "copy")
					virsh(t, host, "vol-download", "--pool", "default", "image.qcow2", copied)

					if !same(t, copied, testbed.ImageFor(t)) {
						t.Error("The downloaded image is not the image")
					}
				}),
			),
		},
		resource.TestStep{
			Config: right, PlanOnly: true,
		},
	)

	if count := served.Load(); count != 1 {
		t.Errorf("The image was asked for %d times, want once: plans download nothing", count)
	}

	wantNames(t, host, nil, nil)
}

const valuable = `
resource "hypervisor_volume" "data" {
  host       = "alpha"
  name       = "data.raw"
  format     = "raw"
  size       = "%s"
  allocation = "%s"
  %s
}
`

func TestWrittenVolumeIsNotLostByAccident(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]
	config := func(allocation, rest string) string {
		return onHosts(fmt.Sprintf(valuable, "1MiB", allocation, rest), host)
	}

	written := filepath.Join(t.TempDir(), "written")
	if err := os.WriteFile(written, []byte(strings.Repeat("precious", 64<<10)), 0o600); err != nil {
		t.Fatal(err)
	}

	run(t,
		resource.TestStep{Config: config("full", ""), Check: check(func() {
			if info := virsh(t, host, "vol-info", "--pool", "default", "data.raw"); strings.Count(info, "1.00 MiB") != 2 {
				t.Errorf("The space is not set aside:\n%s", info)
			}
		})},
		resource.TestStep{
			Config:      config("thin", ""),
			ExpectError: flexible(`Unable to replace volume "data.raw" ... It holds data (1MiB on host "alpha"), which would be lost`),
		},
		resource.TestStep{Config: config("full", "protected = false")},
		resource.TestStep{Config: config("thin", "")}, // nothing was written to this one yet
		resource.TestStep{
			PreConfig: func() { virsh(t, host, "vol-upload", "--pool", "default", "data.raw", written) },
			Config:    onHosts("", host),
			ExpectError: flexible(`Unable to delete volume "data.raw" ... It holds data (512KiB on host "alpha"), which would be lost.` +
				` If nobody needs it any more, set protected = false, apply`),
		},
		resource.TestStep{Config: config("thin", "protected = false")},
	)

	wantNames(t, host, nil, nil)
}
