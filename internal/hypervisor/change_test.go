package hypervisor_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/disruption"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// attributes are a machine's lines of HCL.
type attributes map[string]string

// An edit is a change that a rule speaks of: what differs from the plain machine before it, and after it.
type edit struct{ before, after attributes }

// anyChange, and so on, are the conditions as the table has them.
const (
	anyChange = "any"
	bootDisk  = "of the disk that it boots from"
	within    = "within what it was started for"
	undecided = "not known before the apply"
)

// plain is a machine without a guest: its process is real, and it starts in no time.
func plain(name string) attributes {
	return attributes{
		"name": fmt.Sprintf("%q", name), "host": `"alpha"`, "domain_type": `"qemu"`, "memory": `"32MiB"`, "shutdown_timeout": `"0s"`,
		"cpu": `{ count = 1, exclusive = false }`, "disks": `{ root = { volume = hypervisor_volume.root.id, read_only = true } }`,
		"allow_change": `"replace"`, "autostart": "true",
	}
}

func offOnPages(cpu, rest string) attributes {
	return attributes{"host": "", "cpu": "", "running": "false", "placement": `{ host = "alpha", pins = ["` + cpu + `"]` + rest + ` }`}
}

// edits has one for each rule that a machine without a guest can show.
func edits() map[string]edit {
	lan := `{ lan = { bridge = "br0" } }`
	told := func(text string) attributes { return attributes{"interfaces": lan, "cloud_init": text} }
	static := `{ network = { lan = { addresses = ["10.9.8.7/24"] } } }`
	threads := attributes{"io_threads": `["0"]`}
	two := `{ count = 2, exclusive = false }`

	return map[string]edit{
		"name " + anyChange:                      {nil, attributes{"name": `"again"`}},
		"title " + anyChange:                     {attributes{"title": `"a"`}, attributes{"title": `"b"`}},
		"description " + anyChange:               {nil, attributes{"description": `"for\npeople"`}},
		"machine " + anyChange:                   {nil, attributes{"machine": `"pc"`}},
		"memory " + anyChange:                    {nil, attributes{"memory": `"48MiB"`}},
		"memory_maximum " + anyChange:            {nil, attributes{"memory_maximum": `"64MiB"`}},
		"memory_backing " + anyChange:            {nil, attributes{"memory_backing": `{ preallocated = true }`}},
		"cpu.count " + anyChange:                 {attributes{"cpu": two}, nil},
		"cpu.maximum " + anyChange:               {nil, attributes{"cpu": `{ count = 1, maximum = 3, exclusive = false }`}},
		"cpu.pins " + anyChange:                  {nil, attributes{"cpu": `{ pins = ["5"], exclusive = false }`}},
		"cpu.emulator " + anyChange:              {nil, attributes{"cpu": `{ count = 1, emulator = "1", exclusive = false }`}},
		"cpu.exclusive " + anyChange:             {attributes{"cpu": `{ count = 1 }`}, nil},
		"cpu_model " + anyChange:                 {nil, attributes{"cpu_model": `"Nehalem"`}},
		"cpu_topology " + anyChange:              {attributes{"cpu": two}, attributes{"cpu": two, "cpu_topology": `{ sockets = 1, cores = 2, threads = 1 }`}},
		"numa_nodes " + anyChange:                {nil, attributes{"numa_nodes": `[{ cpus = "0", memory = "32MiB" }]`}},
		"xml " + anyChange:                       {nil, attributes{"xml": `"<devices><watchdog model='i6300esb' action='none'/></devices>"`}},
		"io_threads added":                       {nil, threads},
		"io_threads removed":                     {threads, nil},
		"io_threads " + within:                   {threads, attributes{"io_threads": `["1"]`}},
		"io_threads " + anyChange:                {threads, attributes{"io_threads": `["0", "1"]`}},
		"placement " + anyChange:                 {nil, attributes{"host": "", "cpu": "", "placement": `{ host = "alpha", pins = ["12"] }`}},
		"placement.page_size " + anyChange:       {offOnPages("10", ""), offOnPages("10", `, page_size = "2MiB"`)},
		"placement.nodes " + anyChange:           {offOnPages("11", `, page_size = "2MiB"`), offOnPages("11", `, page_size = "2MiB", nodes = [0]`)},
		"disks " + bootDisk:                      {attributes{"disks": `{ zz = { volume = hypervisor_volume.root.id, read_only = true } }`}, attributes{"disks": `{ zz = { volume = hypervisor_volume.root.id, read_only = true }, root = { volume = hypervisor_volume.other.id, read_only = true } }`}},
		"disks.*.volume " + bootDisk:             {nil, attributes{"disks": `{ root = { volume = hypervisor_volume.other.id, read_only = true } }`}},
		"disks.*.volume " + undecided:            {attributes{"disks": `{ root = { volume = hypervisor_volume.renamed.id } }`}, attributes{"disks": `{ root = { volume = hypervisor_volume.renamed.id } }`}},
		"disks.*.read_only " + bootDisk:          {attributes{"disks": `{ root = { volume = hypervisor_volume.own.id, read_only = true } }`}, attributes{"disks": `{ root = { volume = hypervisor_volume.own.id } }`}},
		"interfaces.*.mac " + anyChange:          {attributes{"interfaces": lan}, attributes{"interfaces": `{ lan = { bridge = "br0", mac = "52:54:00:12:34:56" } }`}},
		"cloud_init " + anyChange:                {nil, attributes{"cloud_init": `{ user_data = "#!/bin/sh\n" }`}},
		"cloud_init.network " + anyChange:        {told(static), told(`{ network = { lan = { addresses = ["10.9.8.6/24"] } } }`)},
		"cloud_init.network_config " + anyChange: {told(`{ network_config = "version: 2" }`), told(`{ network_config = "version: 1" }`)},
		"wait_for " + anyChange:                  {told(static), attributes{"interfaces": lan, "cloud_init": static, "wait_for": `{ address = "lan" }`}},
		"autostart " + anyChange:                 {nil, attributes{"autostart": "false"}},
		"migration " + anyChange:                 {nil, attributes{"migration": `{ bandwidth = "1MiB" }`}},
		"shutdown_timeout " + anyChange:          {nil, attributes{"shutdown_timeout": `"1s"`}},
		"force_restart " + anyChange:             {nil, attributes{"force_restart": "true"}},
		"allow_change " + anyChange:              {nil, attributes{"allow_change": `"reboot"`}},
		"timeouts " + anyChange:                  {nil, attributes{"timeouts": `{ update = "9m" }`}},
	}
}

// shownElsewhere are the rules that take a guest, a container or a second host, by the test that shows them.
var shownElsewhere = map[string][]string{
	"TestGuestGoesOnWhileItsMachineChanges": {
		"memory " + within, "cpu.count " + within, "disks added", "disks removed", "disks.*.volume any", "disks.*.read_only any",
		"interfaces added", "interfaces removed", "interfaces.*.bridge any", "interfaces.*.network any",
		"cloud_init.user_data any", "cloud_init.user_data_wo any", "cloud_init.user_data_wo_version any", "cloud_init.meta_data any",
	},
	"TestMachineMovesWithItsDisksAsItRuns":                            {"host any"},
	"TestMachineLivesThroughAllItsChanges":                            {"running any"},
	"TestMachineIsDrainedBeforeItIsDisturbedAndComesBackWhenItPasses": {"drain any", "drained any"},
	"a host with KVM": {"domain_type any"},
}

// A standing is what the class of a change shows by.
type standing struct {
	uuid string
	pid  int // 0 if it does not run
}

// wantClasses changes one attribute on each of many machines, all in one apply, and looks at what became of their processes and
// UUIDs. The machine of a rule is called m and its number.
func wantClasses(t *testing.T, rules []disruption.Rule, look func(name string) standing, config func(after bool) string) {
	t.Helper()

	before := map[int]standing{}

	run(t,
		resource.TestStep{
			Config: config(false),
			Check: check(func() {
				for i := range rules {
					before[i] = look(fmt.Sprint("m", i))
				}
			}),
		},
		resource.TestStep{
			Config: config(true),
			Check: check(func() {
				for i, rule := range rules {
					name := fmt.Sprint("m", i)
					if rule.Attribute == "name" {
						name = "again"
					}

					was, is := before[i], look(name)
					found := disruption.Live

					switch {
					case was.uuid != is.uuid:
						found = disruption.Replace
					case was.pid != is.pid, was.pid == 0 && rule.Class == disruption.Reboot:
						found = disruption.Reboot
					case rule.Class == disruption.None:
						found = disruption.None
					}

					if found != rule.Class {
						t.Errorf("a change of %s (%s) is of class %s, and the rule says %s", rule.Attribute, rule.When, found, rule.Class)
					}
				}
			}),
		},
	)
}

// rulesOf are the rules that the edits show, in the table's order.
func rulesOf(t *testing.T, all map[string]edit) (shown []disruption.Rule) {
	t.Helper()

	for _, rule := range disruption.Rules() {
		if _, here := all[rule.Attribute+" "+rule.When.String()]; here {
			shown = append(shown, rule)
		}
	}

	if len(shown) != len(all) {
		t.Errorf("%d edits are there for %d rules", len(all), len(shown))
	}

	return shown
}

func TestEachRuleIsShownOnce(t *testing.T) {
	elsewhere := slices.Concat(slices.Collect(maps.Values(shownElsewhere))...)
	elsewhere = slices.AppendSeq(elsewhere, maps.Keys(containerEdits()))

	for _, rule := range disruption.Rules() {
		key := rule.Attribute + " " + rule.When.String()
		_, here := edits()[key]

		if there := slices.Contains(elsewhere, key); here == there {
			t.Errorf("the rule %q has to be shown once: here %t, elsewhere %t", key, here, there)
		}
	}
}

func TestEachRuleIsTrue(t *testing.T) {
	host := server64(t, testbed.For(t), "alpha")
	all := edits()
	shown := rulesOf(t, all)

	wantClasses(t, shown, func(name string) standing {
		found := standing{uuid: virsh(t, host, "domuuid", name)}
		if virsh(t, host, "domstate", name) == "running" {
			found.pid = process(t, host, name)
		}

		return found
	}, func(after bool) string { return ruled(shown, all, after, host) })
}

// ruled are the machines of all edits, before or after.
func ruled(rules []disruption.Rule, all map[string]edit, after bool, host *testbed.Host) string {
	var text strings.Builder

	renamed := "renamed-1"
	if after {
		renamed = "renamed-2"
	}

	for resource, name := range map[string]string{"root": "root", "other": "other", "own": "own", "renamed": renamed} {
		fmt.Fprintf(&text, "resource \"hypervisor_volume\" %q {\n  host = \"alpha\"\n  name = \"%s.qcow2\"\n  size = \"1MiB\"\n}\n\n", resource, name)
	}

	for i, rule := range rules {
		text.WriteString(all[rule.Attribute+" "+rule.When.String()].machine(plain(fmt.Sprint("m", i)), i, after))
	}

	return onHosts(text.String(), host)
}

// machine is the resource of a number, made of the plain machine, before the edit or after it.
func (e edit) machine(plain attributes, number int, after bool) string {
	maps.Copy(plain, map[bool]attributes{false: e.before, true: e.after}[after])

	var text strings.Builder

	fmt.Fprintf(&text, "resource \"hypervisor_vm\" \"m%d\" {\n", number)

	for _, name := range slices.Sorted(maps.Keys(plain)) {
		if plain[name] != "" {
			fmt.Fprintf(&text, "  %s = %s\n", name, plain[name])
		}
	}

	text.WriteString("}\n\n")

	return text.String()
}
