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
)

// TestOneMoreWebMachineOfTheFullPlatformChangesNothingElse plans the platform for a yearly GMV of ten billion yuan on hosts that are only
// written down, takes the plan for applied, and plans one web machine more.
func TestOneMoreWebMachineOfTheFullPlatformChangesNothingElse(t *testing.T) {
	run := inModules(t, "terraform", "hundred-billion-gmv/examples/full")
	first := plannedChanges(t, run)
	machines := 0

	for _, change := range first.Changes {
		if change.Type == "hypervisor_vm" {
			machines++
		}
	}

	if machines < 230 {
		t.Fatalf("The full platform has %d machines only.", machines)
	}

	web := first.count(`module.web.module.machines.hypervisor_vm.machine[`)
	first.store(t, run)

	if err := run.SetVariables(map[string]any{"web_machines": web + 1}); err != nil {
		t.Fatal(err)
	}

	var changed []string

	second := plannedChanges(t, run)
	for _, change := range second.Changes {
		if change.Type != "terraform_data" && !slices.Equal(change.Change.Actions, []string{"no-op"}) {
			changed = append(changed, strings.Join(change.Change.Actions, " and ")+" "+change.Address)
		}
	}

	slices.Sort(changed)

	name := fmt.Sprintf(`["web-%d"]`, web+1)
	want := []string{
		"create module.platform.module.web.module.machines.hypervisor_vm.machine" + name,
		"create module.platform.module.web.module.machines.hypervisor_volume.root" + name,
		"update module.platform.hypervisor_placement.platform",
	}

	if !slices.Equal(changed, want) {
		t.Errorf("One more web machine beside %d others plans\n%s\nand not\n%s", machines, strings.Join(changed, "\n"), strings.Join(want, "\n"))
	}

	wantNoMoves(t, first, second)
}

// A planOfChanges is the part of a plan as JSON that the test looks at.
type planOfChanges struct {
	Changes []plannedChange `json:"resource_changes"`
}

type plannedChange struct {
	Address  string `json:"address"`
	Module   string `json:"module_address"`
	Mode     string `json:"mode"`
	Type     string `json:"type"`
	Name     string `json:"name"`
	Provider string `json:"provider_name"`
	Index    any    `json:"index"`
	Change   struct {
		Actions []string       `json:"actions"`
		After   map[string]any `json:"after"`
		Unknown map[string]any `json:"after_unknown"`
	} `json:"change"`
}

// plannedChanges plans without asking any host.
func plannedChanges(t *testing.T, run *cli.CLI) planOfChanges {
	t.Helper()

	if _, _, err := run.Plan(t.Context(), "-refresh=false", "-out=plan"); err != nil {
		t.Fatal(err)
	}

	shown, err := run.Run(t.Context(), "show", "-json", "plan")
	if err != nil {
		t.Fatal(err)
	}

	var plan planOfChanges
	if err := json.Unmarshal([]byte(shown), &plan); err != nil {
		t.Fatalf("Unable to read the plan: %v", err)
	}

	return plan
}

func (p planOfChanges) count(part string) int {
	count := 0

	for _, change := range p.Changes {
		if strings.Contains(change.Address, part) {
			count++
		}
	}

	return count
}

// placement is where each machine runs.
func (p planOfChanges) placement(t *testing.T) map[string]any {
	t.Helper()

	for _, change := range p.Changes {
		if assignments, ok := change.Change.After["assignments"].(map[string]any); ok && change.Type == "hypervisor_placement" {
			return assignments
		}
	}

	t.Fatal("The plan has no placement.")

	return nil
}

func wantNoMoves(t *testing.T, first, second planOfChanges) {
	t.Helper()

	before, after := first.placement(t), second.placement(t)
	for name := range maps.Keys(before) {
		if fmt.Sprint(before[name]) != fmt.Sprint(after[name]) {
			t.Errorf("%s moves from %v to %v", name, before[name], after[name])
		}
	}

	if len(after) != len(before)+1 {
		t.Errorf("%d machines are placed after %d", len(after), len(before))
	}
}

// store writes the state that an apply of the plan would leave. What only an apply knows is what a host would say. Where the hosts are
// stays unknown, so that none is asked.
func (p planOfChanges) store(t *testing.T, run *cli.CLI) {
	t.Helper()

	type instance struct {
		Index      any            `json:"index_key,omitempty"`
		Attributes map[string]any `json:"attributes"`
	}

	type resource struct {
		Module    string     `json:"module,omitempty"`
		Mode      string     `json:"mode"`
		Type      string     `json:"type"`
		Name      string     `json:"name"`
		Provider  string     `json:"provider"`
		Instances []instance `json:"instances"`
	}

	stored := map[string]*resource{}

	for _, change := range p.Changes {
		if change.Type == "terraform_data" {
			continue
		}

		key := change.Module + "." + change.Type + "." + change.Name
		if stored[key] == nil {
			stored[key] = &resource{Module: change.Module, Mode: change.Mode, Type: change.Type, Name: change.Name, Provider: fmt.Sprintf("provider[%q]", change.Provider)}
		}

		stored[key].Instances = append(stored[key].Instances, instance{Index: change.Index, Attributes: change.applied(t)})
	}

	state, err := json.Marshal(map[string]any{
		"version": 4, "terraform_version": "1.11.0", "serial": 1, "lineage": "00000000-0000-4000-8000-000000000000", "outputs": map[string]any{},
		"resources": slices.Collect(maps.Values(stored)),
	})
	if err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(filepath.Join(run.Folder, "terraform.tfstate"), state, 0o600); err != nil {
		t.Fatal(err)
	}
}

// applied are the attributes of an object after an apply.
func (c plannedChange) applied(t *testing.T) map[string]any {
	t.Helper()

	after := c.Change.After
	host, name := fmt.Sprint(after["host"]), fmt.Sprint(after["name"])

	known := map[string]map[string]any{
		"hypervisor_volume": {"id": host + "/default/" + name, "path": "/var/lib/libvirt/images/" + name},
		"hypervisor_vm":     {"id": host + "/" + name, "domain_type": "kvm", "machine": "q35"},
	}

	maps.Copy(after, known[c.Type])

	if disks, ok := after["disks"].(map[string]any); ok {
		for disk, settings := range disks {
			volume := name + "-" + disk
			if disk == "root" {
				volume = name
			}

			settings.(map[string]any)["volume"] = host + "/default/" + volume + ".qcow2"
		}
	}

	for attribute, unknown := range c.Change.Unknown {
		if _, filled := after[attribute]; unknown == true && !filled {
			t.Fatalf("%s has the attribute %s, which is not known before the apply, and the test does not know it either.", c.Address, attribute)
		}
	}

	return after
}
