package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The schema as `providers schema -json` writes it: what of it tells which attributes there are.
type (
	providerSchemas struct {
		Providers map[string]struct {
			Provider    typeSchema            `json:"provider"`
			Resources   map[string]typeSchema `json:"resource_schemas"`
			DataSources map[string]typeSchema `json:"data_source_schemas"`
		} `json:"provider_schemas"`
	}
	typeSchema struct {
		Block attributes `json:"block"`
	}
	attributes struct {
		Attributes map[string]attribute `json:"attributes"`
	}
	attribute struct {
		Nested *nested `json:"nested_type"`
	}
	nested struct {
		attributes

		Mode string `json:"nesting_mode"`
	}
)

// wantKnownAttributes checks the names of nested attributes, of which Terraform drops unknown ones without a word.
func wantKnownAttributes(t *testing.T, example *cli.CLI) {
	t.Helper()

	schemas := readSchemas(t, example)

	files, err := filepath.Glob(filepath.Join(example.Folder, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}

	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}

		file, diags := hclsyntax.ParseConfig(content, filepath.Base(path), hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}

		for _, block := range file.Body.(*hclsyntax.Body).Blocks {
			if len(block.Labels) == 0 {
				continue
			}

			for name, written := range block.Body.Attributes {
				if known := schemas[block.Type+" "+block.Labels[0]].Attributes[name]; known.Nested != nil {
					known.Nested.check(t, written.Expr)
				}
			}
		}
	}
}

// readSchemas returns the attributes of each kind of block by its type and first label.
func readSchemas(t *testing.T, example *cli.CLI) map[string]attributes {
	t.Helper()

	printed, err := example.Run(t.Context(), "providers", "schema", "-json")
	if err != nil {
		t.Fatal(err)
	}

	var read providerSchemas
	if err := json.Unmarshal([]byte(printed), &read); err != nil {
		t.Fatal(err)
	}

	found := map[string]attributes{}

	for _, schema := range read.Providers {
		found["provider hypervisor"] = schema.Provider.Block

		for name, resource := range schema.Resources {
			found["resource "+name] = resource.Block
		}

		for name, source := range schema.DataSources {
			found["data "+name] = source.Block
		}
	}

	if len(found) < 2 {
		t.Fatalf("the provider's schema has no types: %s", printed)
	}

	return found
}

// check walks what is written; a value that is computed elsewhere is not looked at.
func (n nested) check(t *testing.T, written hclsyntax.Expression) {
	t.Helper()

	switch written := written.(type) {
	case *hclsyntax.ObjectConsExpr:
		for _, item := range written.Items {
			if n.Mode == "map" {
				nested{attributes: n.attributes, Mode: "single"}.check(t, item.ValueExpr)

				continue
			}

			n.checkItem(t, item)
		}
	case *hclsyntax.ForExpr:
		nested{attributes: n.attributes, Mode: "single"}.check(t, written.ValExpr)
	}
}

func (n nested) checkItem(t *testing.T, item hclsyntax.ObjectConsItem) {
	t.Helper()

	key, diags := item.KeyExpr.Value(nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}

	known, exists := n.Attributes[key.AsString()]
	if !exists {
		t.Errorf("%s: there is no attribute %q here, but %q", item.KeyExpr.Range(), key.AsString(), slices.Sorted(maps.Keys(n.Attributes)))
	}

	if known.Nested != nil {
		known.Nested.check(t, item.ValueExpr)
	}
}

// here overrides what an example's machines run on, as a reader without KVM would.
func (s stage) here(t *testing.T, folder string) string {
	t.Helper()

	var overrides strings.Builder

	for _, address := range declared(t, folder) {
		name, machine := strings.CutPrefix(address, "hypervisor_vm.")
		if machine && !strings.Contains(configuration(t, folder), "lxc") { // a container says so by its host
			fmt.Fprintf(&overrides, "resource \"hypervisor_vm\" %q {\n  domain_type = %q\n}\n", name, s.domainType)
		}
	}

	return overrides.String()
}
