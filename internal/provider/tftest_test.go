package provider_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

const fleet = `
terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "web" {
  type    = number
  default = 2
}

locals {
  hosts = { for name in ["alpha", "beta"] : name => {
    nodes = [{ memory = "64GiB", cores = [for core in range(4) : "${core},${core + 4}"] }]
  } }
}

resource "hypervisor_placement" "shop" {
  hosts    = local.hosts
  machines = { for n in range(var.web) : "web-${n + 1}" => { vcpus = 2, memory = "4GiB", group = "web" } }
  groups   = { web = { spread = "evenly" } }
}

output "hosts" {
  value = sort([for place in hypervisor_placement.shop.assignments : place.host])
}

output "room_for_one_more" {
  value = provider::hypervisor::place({
    hosts    = local.hosts
    machines = { for n in range(var.web + 1) : "web-${n + 1}" => { vcpus = 2, memory = "4GiB" } }
  }).error == null
}
`

const fleetTest = `
run "two_machines_are_spread" {
  command = plan

  assert {
    condition     = output.hosts == tolist(["alpha", "beta"])
    error_message = "The machines are not on both hosts: ${jsonencode(output.hosts)}"
  }

  assert {
    condition     = output.room_for_one_more
    error_message = "There is no room for one more."
  }
}

run "six_fill_the_hosts" {
  command = plan

  variables {
    web = 6
  }

  assert {
    condition     = !output.room_for_one_more
    error_message = "There is room for one more on full hosts."
  }
}
`

// TestPlacementIsTriedWithoutAnyHost runs a module's own tests on hosts that are only written down.
func TestPlacementIsTriedWithoutAnyHost(t *testing.T) {
	for _, tool := range []string{"terraform", "tofu"} {
		t.Run(tool, func(t *testing.T) {
			binary, err := testbed.Tool(t.Context(), tool)
			if err != nil {
				t.Fatal(err)
			}

			module := t.TempDir()
			for name, content := range map[string]string{"main.tf": fleet, "fleet.tftest.hcl": fleetTest} {
				if err := os.WriteFile(filepath.Join(module, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}

			run, err := cli.New(t.Context(), binary, providerBinary(t), module, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}

			if _, err := run.Run(t.Context(), "test", "-no-color"); err != nil {
				t.Error(err)
			}
		})
	}
}
