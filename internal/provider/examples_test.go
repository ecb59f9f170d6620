package provider_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	tfprovider "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// exampleImage is what the examples call the image that a reader supplies.
const exampleImage = "debian-12-genericcloud-amd64.qcow2"

// server is a common two-socket machine, so that the examples can pin as on one.
var server = testbed.Topology{Sockets: 2, CoresPerSocket: 16, ThreadsPerCore: 2, MemoryGiBPerNode: 128}

// adjustments are what an example needs to be applied here and not only planned: guests without KVM and with little
// memory, and health checks that stay on this machine. They override single attributes of the example.
func adjustments(folder, domainType string) string {
	switch folder {
	case "resources/hypervisor_vm":
		return fmt.Sprintf("resource \"hypervisor_vm\" \"web\" {\n  domain_type      = %q\n  memory           = \"128MiB\"\n"+
			"  shutdown_timeout = \"0s\"\n  wait_for         = null\n}\n", domainType)
	case "resources/hypervisor_placement": // more memory than there is here
		return fmt.Sprintf("resource \"hypervisor_vm\" \"shop\" {\n  domain_type = %q\n  running     = false\n}\n", domainType)
	case "resources/hypervisor_snapshot":
		return fmt.Sprintf("resource \"hypervisor_vm\" \"shop\" {\n  domain_type      = %q\n  memory           = \"32MiB\"\n  shutdown_timeout = \"0s\"\n}\n", domainType)
	case "resources/hypervisor_volume": // nothing is downloaded from the web
		return "resource \"hypervisor_volume\" \"ubuntu\" {\n  source = { file = \"" + exampleImage + "\" }\n}\n"
	case "resources/hypervisor_pool": // there is no file server and no volume group
		return "resource \"hypervisor_pool\" \"shared\" {\n  type   = \"dir\"\n  source = null\n}\n" +
			"resource \"hypervisor_pool\" \"fast\" {\n  type   = \"dir\"\n  path   = \"/var/lib/libvirt/fast\"\n  source = null\n}\n"
	case "resources/consul_service":
		return "resource \"consul_service\" \"web\" {\n  checks           = { port = { tcp = \"127.0.0.1:1\" } }\n  wait_for_passing = null\n}\n"
	default:
		return ""
	}
}

// stage is a test bed with the hosts that the examples name.
type stage struct {
	hosts       []*testbed.Host
	consul      *testbed.Consul
	image       string
	domainType  string
	terraform   string
	provider    string
	examples    string
	connections string // the provider block that leads to the bed
}

func TestEveryExampleIsPlanned(t *testing.T) {
	s := newStage(t)
	folders := exampleFolders(t, s.examples)

	if len(folders) < 2 {
		t.Fatalf("Below %s only %q have .tf files.", s.examples, folders)
	}

	for _, folder := range folders {
		t.Run(folder, func(t *testing.T) {
			example := s.prepare(t, folder)

			if printed, err := example.Run(t.Context(), "validate", "-no-color"); err != nil || strings.Contains(printed, "Warning:") {
				t.Fatalf("Unable to validate the example: %v\n%s", err, printed)
			}

			wantKnownAttributes(t, example)
			s.connect(t, example, s.here(t, example.Folder)+kongFor(t, folder))

			_, plan, err := example.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}

			addresses := declared(t, example.Folder)
			if len(addresses) == 0 && folder != "provider" {
				t.Error("the example declares nothing")
			}

			for _, address := range addresses {
				if !strings.Contains(plan, address) {
					t.Errorf("the plan does not mention %s:\n%s", address, plan)
				}
			}
		})
	}
}

func TestAppliedAndImportedExampleLeavesNothingToChange(t *testing.T) {
	s := newStage(t)

	// Those of one type each. The layouts are applied by the tests that drive requests through them.
	for _, folder := range exampleFolders(t, s.examples) {
		if !strings.Contains(folder, "/") {
			continue
		}

		t.Run(folder, func(t *testing.T) {
			example := s.prepare(t, folder)
			s.connect(t, example, adjustments(folder, s.domainType)+kongFor(t, folder))

			t.Cleanup(func() {
				if err := example.Destroy(context.WithoutCancel(t.Context()), nil); err != nil {
					t.Errorf("Unable to destroy the example: %v", err)
				}
			})

			if err := example.Apply(t.Context(), nil); err != nil {
				t.Fatal(err)
			}

			if changes, plan, err := example.Plan(t.Context()); err != nil || changes {
				t.Fatalf("after the apply there is something to change: %v\n%s", err, plan)
			}

			script := filepath.Join(s.examples, folder, "import.sh")
			if _, err := os.Stat(script); errors.Is(err, fs.ErrNotExist) {
				return // TestEveryTypeHasAnExample says which types need one
			}

			for _, command := range commands(t, script) {
				address, id := command[0], command[1]

				if printed, err := example.Run(t.Context(), "state", "rm", address); err != nil {
					t.Fatalf("Unable to forget %s: %v\n%s", address, err, printed)
				}

				if printed, err := example.Run(t.Context(), "import", "-no-color", address, id); err != nil {
					t.Fatalf("Unable to import %s: %v\n%s", address, err, printed)
				}
			}

			if changes, plan, err := example.Plan(t.Context()); err != nil || changes {
				t.Errorf("after the import there is something to change: %v\n%s", err, plan)
			}
		})
	}
}

func TestEveryTypeHasAnExample(t *testing.T) {
	examples := exampleRoot(t)

	for _, file := range typeFiles(t) {
		content, err := os.ReadFile(filepath.Join(examples, file))
		if err != nil || len(content) == 0 {
			t.Errorf("examples/%s: it has no content: %v", file, err)
		}
	}
}

// typeFiles lists the files that the documentation takes for the provider's types.
func typeFiles(t *testing.T) []string {
	t.Helper()

	files := []string{"provider/provider.tf"}
	all := provider.New("test")()

	for _, create := range all.Resources(t.Context()) {
		var resp resource.MetadataResponse
		made := create()
		made.Metadata(t.Context(), resource.MetadataRequest{ProviderTypeName: "hypervisor"}, &resp)
		files = append(files, "resources/"+resp.TypeName+"/resource.tf")

		if _, imports := made.(resource.ResourceWithImportState); imports {
			files = append(files, "resources/"+resp.TypeName+"/import.sh")
		}
	}

	for _, create := range all.DataSources(t.Context()) {
		var resp datasource.MetadataResponse
		create().Metadata(t.Context(), datasource.MetadataRequest{ProviderTypeName: "hypervisor"}, &resp)
		files = append(files, "data-sources/"+resp.TypeName+"/data-source.tf")
	}

	for _, create := range all.(tfprovider.ProviderWithFunctions).Functions(t.Context()) {
		var resp function.MetadataResponse
		create().Metadata(t.Context(), function.MetadataRequest{}, &resp)
		files = append(files, "functions/"+resp.Name+"/function.tf")
	}

	return files
}

func newStage(t *testing.T) stage {
	t.Helper()

	s := stage{examples: exampleRoot(t), image: testbed.ImageFor(t), domainType: testbed.DomainTypeFor(t)}
	bed := testbed.For(t)

	for _, name := range []string{"alpha", "beta"} {
		host, err := bed.StartHost(t.Context(), testbed.HostOptions{Name: name, Topology: &server})
		if err != nil {
			t.Fatalf("Unable to start the hosts of the examples: %v", err)
		}

		s.hosts = append(s.hosts, host)
	}

	var err error
	if s.consul, err = bed.StartConsul(t.Context()); err != nil {
		t.Fatalf("Unable to start Consul: %v", err)
	}

	if s.provider, err = cli.BuildProvider(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}

	if s.terraform, err = testbed.Tool(t.Context(), "terraform"); err != nil {
		if s.terraform, err = testbed.Tool(t.Context(), "tofu"); err != nil {
			t.Fatalf("Unable to find Terraform or OpenTofu: %v", err)
		}
	}

	s.connections = fmt.Sprintf("provider \"hypervisor\" {\n  hosts = {\n    alpha = { uri = %q }\n    beta  = { uri = %q }\n    gamma = { uri = %q }\n  }\n"+
		"  consul  = { address = %q }\n  gateway = { traefik = {} }\n}\n", s.hosts[0].URI(), s.hosts[1].URI(), s.hosts[1].ContainerURI(), s.consul.Address())

	return s
}

// prepare copies an example to a folder of its own, with what a reader adds: the provider's address and an image.
func (s stage) prepare(t *testing.T, folder string) *cli.CLI {
	t.Helper()

	source := t.TempDir()
	if err := os.CopyFS(source, os.DirFS(filepath.Join(s.examples, folder))); err != nil {
		t.Fatal(err)
	}

	if !strings.Contains(configuration(t, source), "required_providers") {
		write(t, filepath.Join(source, "versions.tf"), "terraform {\n  required_providers {\n    hypervisor = { source = \"baiyi-infra/hypervisor\" }\n  }\n}\n")
	}

	example, err := cli.New(t.Context(), s.terraform, s.provider, source, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	for _, name := range []string{exampleImage, "rootfs.tar.gz"} { // of the latter a plan reads the hash only
		if err := os.Symlink(s.image, filepath.Join(example.Folder, name)); err != nil {
			t.Fatal(err)
		}
	}

	if strings.Contains(configuration(t, source), "variable \"image\"") {
		if err := example.SetVariables(map[string]any{"image": exampleImage}); err != nil {
			t.Fatal(err)
		}
	}

	if secret, needed := secrets(t, folder, example.Folder); needed {
		if err := example.SetVariables(map[string]any{"secret": secret}); err != nil {
			t.Fatal(err)
		}
	}

	return example
}

// connect leads the example's provider to the bed and overrides what the adjustments say.
func (s stage) connect(t *testing.T, example *cli.CLI, adjusted string) {
	t.Helper()

	if strings.Contains(configuration(t, example.Folder), "provider \"hypervisor\"") {
		adjusted += s.connections
	} else {
		write(t, filepath.Join(example.Folder, "provider.tf"), s.connections)
	}

	write(t, filepath.Join(example.Folder, "testbed_override.tf"), adjusted)
}

func exampleRoot(t *testing.T) string {
	t.Helper()

	root, err := cli.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	return filepath.Join(root, "examples")
}

// exampleFolders lists the folders that hold a configuration, but for the pipelines', whose own test plans theirs with the scripts.
func exampleFolders(t *testing.T, root string) []string {
	t.Helper()

	var folders []string

	err := fs.WalkDir(os.DirFS(root), ".", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".tf" && !strings.HasPrefix(path, "ci/") {
			folders = append(folders, filepath.Dir(path))
		}

		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	slices.Sort(folders)

	return slices.Compact(folders)
}

var block = regexp.MustCompile(`(?m)^(resource|data) "([a-z_]+)" "([a-z_]+)" {$`)

// declared lists the addresses of the configuration's resources and data sources.
func declared(t *testing.T, folder string) []string {
	t.Helper()

	var addresses []string

	for _, match := range block.FindAllStringSubmatch(configuration(t, folder), -1) {
		address := match[2] + "." + match[3]
		if match[1] == "data" {
			address = "data." + address
		}

		addresses = append(addresses, address)
	}

	return addresses
}

// configuration returns the text of all of the folder's .tf files.
func configuration(t *testing.T, folder string) string {
	t.Helper()

	files, err := filepath.Glob(filepath.Join(folder, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}

	var text strings.Builder

	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}

		text.Write(content)
	}

	return text.String()
}

// commands reads the address and the id of each import command.
func commands(t *testing.T, script string) [][2]string {
	t.Helper()

	content, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}

	var found [][2]string

	for line := range strings.Lines(string(content)) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}

		if len(words) != 4 || words[0] != "terraform" || words[1] != "import" {
			t.Fatalf("%s has a line that is not \"terraform import ADDRESS ID\": %s", script, line)
		}

		found = append(found, [2]string{words[2], strings.Trim(words[3], "'")})
	}

	if len(found) == 0 {
		t.Fatalf("%s has no command.", script)
	}

	return found
}

func write(t *testing.T, path, text string) {
	t.Helper()

	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
