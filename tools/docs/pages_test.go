package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEveryTypeGetsItsPage(t *testing.T) {
	out := generate(t)

	for page, words := range map[string][]string{
		"index.md":                    {"Runs servers.", "provider = hypervisor", "The hosts."},
		"resources/vm.md":             {"hypervisor_vm (Resource)", "Name of the machine."},
		"resources/consul_service.md": {"consul_service (Resource)", "Port of the service.", "provider = hypervisor"},
		"resources/gateway_route.md":  {"gateway_route (Resource)", "Paths of the route.", "provider = hypervisor"},
		"data-sources/host.md":        {"hypervisor_host (Data Source)", "Name of the host."},
	} {
		content, err := os.ReadFile(filepath.Join(out, page))
		if err != nil {
			t.Error(err)

			continue
		}

		for _, word := range words {
			if !strings.Contains(string(content), word) {
				t.Errorf("%s does not say %q, but:\n%s", page, word, content)
			}
		}
	}
}

func TestSecondRunChangesNothingAndRemovesWhatIsGone(t *testing.T) {
	out := generate(t)
	first := pages(t, out)

	gone := filepath.Join(out, "resources", "gone.md")
	if err := os.WriteFile(gone, nil, 0o600); err != nil {
		t.Fatal(err)
	}

	if err := writePages(t.Context(), readTestSchema(t), "../..", out); err != nil {
		t.Fatal(err)
	}

	if second := pages(t, out); !slices.Equal(first, second) {
		t.Errorf("the second run made\n%q\nafter the first had made\n%q", second, first)
	}
}

func TestTypeOfAnotherPrefixIsRefused(t *testing.T) {
	_, err := parseSchema([]byte(`{"provider_schemas": {"r/baiyi-infra/hypervisor": {"resource_schemas": {"kong_route": {}}}}}`))
	if err == nil || !strings.Contains(err.Error(), "the type kong_route begins with none of") {
		t.Errorf("parseSchema: %v", err)
	}
}

func TestSchemaOfAnotherProviderIsRefused(t *testing.T) {
	_, err := parseSchema([]byte(`{"provider_schemas": {"r/x/y": {}}}`))
	if err == nil || !strings.Contains(err.Error(), "it has no provider baiyi-infra/hypervisor") {
		t.Errorf("parseSchema: %v", err)
	}
}

func generate(t *testing.T) string {
	t.Helper()

	out := t.TempDir()
	if err := writePages(t.Context(), readTestSchema(t), "../..", out); err != nil {
		t.Fatal(err)
	}

	return out
}

func readTestSchema(t *testing.T) schema {
	t.Helper()

	text, err := os.ReadFile("testdata/schema.json")
	if err != nil {
		t.Fatal(err)
	}

	read, err := parseSchema(text)
	if err != nil {
		t.Fatal(err)
	}

	return read
}

// pages lists the folder's pages with their content.
func pages(t *testing.T, folder string) []string {
	t.Helper()

	var found []string

	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}

		content, err := os.ReadFile(filepath.Join(folder, path))
		found = append(found, path+"\n"+string(content))

		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return found
}
