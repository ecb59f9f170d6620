package hypervisor_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/cloudinit"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// TestSecretUserDataReachesTheSeedAndNotTheState also walks the seed: its rights, its loss, its import and its end.
func TestSecretUserDataReachesTheSeedAndNotTheState(t *testing.T) {
	const secret = "#cloud-config\npassword: tops3cret\n"

	host := testbed.Hosts(t, "alpha")[0]
	config := func(version int, rest string) string {
		return onHosts(fmt.Sprintf(machine, "m1", testbed.DomainTypeFor(t), fmt.Sprintf(`cpu = { count = 1 }
  cloud_init = {
    user_data_wo         = %q
    user_data_wo_version = %d
    meta_data            = { role = "web" }
    network              = { lan = { addresses = ["10.0.0.5/24"], gateway = "10.0.0.1" } }
    %s
  }
`, secret, version, rest)), host)
	}
	has := func(userData, secret string) resource.TestCheckFunc {
		return check(func() {
			if seed := readSeed(t, host); seed.UserData != userData || seed.SecretUserData != secret || seed.Hostname != "m1" || seed.MetaData["role"] != "web" {
				t.Errorf("The seed on the host is %+v", seed)
			}
		})
	}
	seeded := has(secret, "")
	both := `user_data = "#!/bin/sh\n"`
	imported := resource.TestStep{ResourceName: vmAddress, ImportState: true, ImportStateId: "alpha/m1", ImportStateVerify: true}

	run(t,
		resource.TestStep{
			Config: config(1, ""),
			Check: resource.ComposeTestCheckFunc(
				seeded,
				resource.TestCheckResourceAttr(vmAddress, "addresses.lan.0", "10.0.0.5"),
				func(state *terraform.State) error {
					text, err := json.Marshal(state)
					if strings.Contains(string(text), "tops3cret") {
						t.Error("The secret is in the state")
					}

					return err
				},
				check(func() {
					info, err := os.Stat(filepath.Join(host.Folder(), "lib/images/m1.seed"))
					if err != nil {
						t.Fatal(err)
					}

					if info.Mode().Perm() != 0o600 {
						t.Errorf("Others may read the seed: %s", info.Mode())
					}
				}),
			),
		},
		imported,
		resource.TestStep{ // a seed that is lost with the machine off comes back with the machine
			PreConfig: func() {
				virsh(t, host, "destroy", "m1")
				virsh(t, host, "vol-delete", "--pool", "default", "m1.seed")
			},
			Config: config(1, ""),
			Check:  seeded,
		},
		resource.TestStep{
			Config:           config(2, ""),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check:            seeded,
		},
		resource.TestStep{
			Config:      config(3, `user_data = "MIME-Version: 1.0\n"`),
			ExpectError: flexible(`cannot be put together with secret user data`),
		},
		resource.TestStep{
			Config:           config(2, both),
			ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
			Check:            has("#!/bin/sh\n", secret),
		},
		imported,
	)

	wantNames(t, host, nil, nil)
}

func readSeed(t *testing.T, host *testbed.Host) cloudinit.Seed {
	t.Helper()

	copied := filepath.Join(t.TempDir(), "seed")
	virsh(t, host, "vol-download", "--pool", "default", "m1.seed", copied)

	image, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}

	seed, err := cloudinit.Parse(image)
	if err != nil {
		t.Fatal(err)
	}

	return seed
}
