package hypervisor_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/cloudinit"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// TestContainerHasItsSeedFromBeforeItsFirstProcess walks the seed of a container: its content and rights, its import, its changes
// as the container runs, a trap that the container lays for it, and its end.
func TestContainerHasItsSeedFromBeforeItsFirstProcess(t *testing.T) {
	host := containerHost(t)
	seed := filepath.Join(rootOf(host), cloudinit.Folder)
	network := fmt.Sprintf("network = { lan = { addresses = [%q], gateway = %q } }", host.Bed().CIDR(120), host.Bed().Gateway())

	config := func(rest string) string {
		text := unpacked(t, host, "memory = \"64MiB\"\n  cpu = { count = 1 }")

		return strings.Replace(text, "cloud_init = { "+network+" }", "cloud_init = {\n    "+network+"\n    "+rest+"\n  }", 1)
	}

	const secret = "#cloud-config\npassword: tops3cret\n"

	told := func(version int) string {
		return config(fmt.Sprintf("user_data_wo = %q\n    user_data_wo_version = %d\n    meta_data = { role = \"web\" }", secret, version))
	}
	open := config(`user_data = "#!/bin/sh\necho hello\n"`)
	outside := filepath.Join(host.Bed().Folder(), "outside")
	cloud := filepath.Join(rootOf(host), "var/lib/cloud")
	first := 0

	run(t,
		resource.TestStep{
			Config: told(1),
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(vmAddress, "addresses.lan.0", host.Bed().Address(120)),
				func(state *terraform.State) error {
					text, err := json.Marshal(state)
					if strings.Contains(string(text), "tops3cret") {
						t.Error("The secret is in the state")
					}

					return err
				},
				check(func() {
					wantSeed(t, seed, map[string]string{"user-data": secret, "meta-data": `role: "web"`, "network-config": "config: disabled"})
					wantAnswer(t, host.Bed().Address(120), "box")

					if text := lxc(t, host, "dumpxml", "box"); strings.Contains(text, "tops3cret") {
						t.Error("The secret is in the definition")
					}

					first = initPID(t, host, "box")
				}),
			),
		},
		resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/box", ImportStateVerify: true},
		resource.TestStep{
			Config:           open,
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				wantSeed(t, seed, map[string]string{"user-data": "#!/bin/sh\necho hello\n"})

				if now := initPID(t, host, "box"); now != first {
					t.Errorf("The container has the process %d after its seed changed, and had %d", now, first)
				}
			}),
		},
		resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/box", ImportStateVerify: true},
		resource.TestStep{ // whoever is root in the container has the seed written elsewhere
			PreConfig: func() {
				if err := os.MkdirAll(outside, 0o700); err != nil {
					t.Fatal(err)
				}

				if err := errors.Join(os.Rename(cloud, cloud+".old"), os.Symlink(outside, cloud)); err != nil {
					t.Fatal(err)
				}
			},
			Config:      told(2),
			ExpectError: flexible(`Unable to update VM "box" ... /cloud on the way to the seed is a link`),
		},
		resource.TestStep{
			PreConfig: func() {
				if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
					t.Errorf("Out of the container there is %v (%v), want nothing", left, err)
				}

				if err := errors.Join(os.Remove(cloud), os.Rename(cloud+".old", cloud)); err != nil {
					t.Fatal(err)
				}
			},
			Config:           told(2),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check:            check(func() { wantSeed(t, seed, map[string]string{"user-data": secret}) }),
		},
		resource.TestStep{
			Config:           config(""),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check: check(func() {
				if left, err := os.ReadDir(seed); err != nil || len(left) > 0 {
					t.Errorf("The seed still has %v (%v)", left, err)
				}
			}),
		},
		resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/box", ImportStateVerify: true},
	)

	wantNothingLeft(t, host)
}

// wantSeed checks what the files of a seed contain, and that only root may read them.
func wantSeed(t *testing.T, folder string, want map[string]string) {
	t.Helper()

	for name, text := range want {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || !strings.Contains(string(content), text) {
			t.Errorf("The seed's %s is %q (%v), want %q in it", name, content, err, text)
		}

		if info, err := os.Stat(filepath.Join(folder, name)); err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("Others may read the seed's %s: %s", name, info.Mode())
		}
	}
}
