package provider_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestServicesAndGatewaysLiveUnderOpenTofu takes all types of Consul and of both gateways through create, import, update and
// destroy, with an empty plan after each.
func TestServicesAndGatewaysLiveUnderOpenTofu(t *testing.T) {
	w := newWalk(t, "tofu", []*walked{{name: "consul"}, {name: "kong", kong: true}})

	w.settled(t)

	imported := map[string]string{
		"consul_node.consul": "consul-node", "consul_service.consul-db": "consul-node/consul-db", "consul_service.consul-web": "consul-web",
		"gateway_upstream.consul": "consul", "gateway_route.consul": "consul", "gateway_plugin.consul": "consul",
		"gateway_upstream.kong": "kong", "gateway_route.kong": "kong", "gateway_plugin.kong": "kong", "gateway_consumer.kong": "kong",
		"gateway_certificate.kong": "kong",
	}

	if _, err := w.run.Run(t.Context(), append([]string{"state", "rm"}, slices.Sorted(maps.Keys(imported))...)...); err != nil {
		t.Fatal(err)
	}

	var blocks strings.Builder
	for address, id := range imported {
		alias, _, _ := strings.Cut(strings.SplitAfter(address, ".")[1], "-")

		fmt.Fprintf(&blocks, "import {\n  provider = hypervisor.%s\n  to       = %s\n  id       = %q\n}\n", alias, address, id)
	}

	write(t, filepath.Join(w.run.Folder, "imports.tf"), blocks.String())

	printed, err := w.run.Run(t.Context(), "apply", "-auto-approve", "-no-color")
	if err != nil {
		t.Fatal(err)
	}

	if !strings.Contains(printed, "11 imported, 0 added, 0 changed, 0 destroyed") {
		t.Errorf("The import changes something:\n%s", printed)
	}

	w.declare(t, w.run.Folder, true)
	w.settled(t)
	w.destroyed(t)
}
