package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

const lost = `
terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  hosts = { alpha = { uri = %q } }
}

resource "hypervisor_volume" "root" {
  host = "alpha"
  name = "m1.qcow2"
  size = "1MiB"
}

resource "hypervisor_vm" "test" {
  name             = "m1"
  host             = "alpha"
  domain_type      = %q
  memory           = "32MiB"
  shutdown_timeout = "0s"
  cpu              = { pins = ["1"], emulator = "0" }
  disks            = { root = { volume = hypervisor_volume.root.id } }
  interfaces       = { lan = { bridge = "br0" } }
  cloud_init       = { user_data = "#!/bin/sh\n" }
}
`

// TestLostStateIsTakenOverFromTheHost loses the state of a machine that was changed since it was made.
func TestLostStateIsTakenOverFromTheHost(t *testing.T) {
	host := testbed.Hosts(t, "alpha")[0]

	binary, err := testbed.Tool(t.Context(), "terraform")
	if err != nil {
		t.Fatal(err)
	}

	source := t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "main.tf"), fmt.Appendf(nil, lost, host.URI(), testbed.DomainTypeFor(t)), 0o600); err != nil {
		t.Fatal(err)
	}

	run, err := cli.New(t.Context(), binary, providerBinary(t), source, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	apply(t, run)
	edit(t, run, "main.tf", `pins = ["1"], emulator = "0"`, `pins = ["0"], emulator = "1"`)
	apply(t, run)

	before, err := host.PID("m1")
	if err != nil {
		t.Fatal(err)
	}

	if err := os.Remove(filepath.Join(run.Folder, "terraform.tfstate")); err != nil {
		t.Fatal(err)
	}

	apply(t, run)
	wantEmptyPlan(t, run, "the loss of the state")

	if after, err := host.PID("m1"); err != nil || after != before {
		t.Errorf("The machine has the process %d after its state was lost, and had %d (%v)", after, before, err)
	}

	if err := run.Destroy(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}
