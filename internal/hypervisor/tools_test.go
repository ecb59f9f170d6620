package hypervisor_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// terraformTool returns the path of Terraform, or else of OpenTofu.
func terraformTool(t *testing.T) string {
	t.Helper()

	path, err := testbed.Tool(t.Context(), "terraform")
	if err != nil {
		if path, err = testbed.Tool(t.Context(), "tofu"); err != nil {
			t.Fatalf("Unable to find Terraform or OpenTofu: %v", err)
		}
	}

	return path
}

// servers256 starts hosts with CPUs enough for all that is walked.
func servers256(t *testing.T, count int) []*testbed.Host {
	t.Helper()

	bed := testbed.For(t)
	hosts := make([]*testbed.Host, count)

	for i := range hosts {
		var err error

		hosts[i], err = bed.StartHost(t.Context(), testbed.HostOptions{
			Name: fmt.Sprintf("host-%d", i), Topology: &testbed.Topology{Sockets: 2, CoresPerSocket: 64, ThreadsPerCore: 2, MemoryGiBPerNode: 128},
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	return hosts
}

// builtProvider returns the path of this tree's provider, which is built once for all tests.
func builtProvider(t *testing.T) string {
	t.Helper()

	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}

	return binary
}

// buildFolder is where the provider is built; TestMain makes and removes it.
var buildFolder string

var build = sync.OnceValues(func() (string, error) { return cli.BuildProvider(context.Background(), buildFolder) })
