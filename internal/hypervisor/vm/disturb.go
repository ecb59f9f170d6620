package vm

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/disruption"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// readOnly are the attributes that only the host says.
var readOnly = []string{"id", "addresses", "drift"}

// A verdict is what the rules say about one changed attribute of a plan.
type verdict struct {
	disruption.Rule

	at     path.Path
	change disruption.Change
}

// disturb says what the plan does to the machine that there is: it replaces it where it must, tells people about a machine
// that is disturbed while it runs, and refuses what allow_change does not cover.
func (p planned) disturb(state *planned, before tftypes.Value, resp *resource.ModifyPlanResponse) {
	if state == nil {
		return
	}

	verdicts := p.judge(*state, before, resp.Plan.Raw)

	for _, v := range verdicts {
		if v.Class == disruption.Replace {
			resp.RequiresReplace = append(resp.RequiresReplace, v.at)
		}
	}

	p.announce(verdicts, state.Running.ValueBool(), &resp.Diagnostics)
}

// judge collects what the rules say about each changed attribute, the worst first. Nothing has to restart a machine that
// does not run, or that is powered off as the plan asks, so such changes are free.
func (p planned) judge(state planned, before, after tftypes.Value) []verdict {
	var verdicts []verdict

	running := state.Running.ValueBool() && p.Running.ValueBool()
	contained := !parts(before)["container"].IsNull()
	staying := contained || parts(before)["domain_type"].Equal(tftypes.NewValue(tftypes.String, domainxml.Xen))

	compare("", path.Empty(), before, after, func(change disruption.Change, at path.Path) {
		change.Container, change.Staying = contained, staying

		if change, concerns := p.complete(state, change, at); concerns && !p.takesAlong(state, change, at) {
			verdicts = append(verdicts, verdict{Rule: disruption.Judge(change), at: at, change: change})
		}
	})

	verdicts = append(verdicts, p.judgeDrift(state, contained)...)

	for i := range verdicts {
		if verdicts[i].Class == disruption.Reboot && !running {
			verdicts[i].Class = disruption.None
		}
	}

	slices.SortStableFunc(verdicts, func(a, b verdict) int { return int(b.Class) - int(a.Class) })

	return verdicts
}

// complete adds to a change what the rest of the plan says about it. A change concerns nobody if it follows from a placement
// that is yet to be decided: the machine is not destroyed for what may leave it as it is.
func (p planned) complete(state planned, change disruption.Change, at path.Path) (disruption.Change, bool) {
	part, _, _ := strings.Cut(change.Attribute, ".")
	change.Within = p.within(state, change.Attribute)

	switch {
	case slices.Contains(readOnly, part):
		return change, false
	case p.undecided() && (part == "placement" || part == "host" || part == "cpu"):
		return change, false
	case p.runs(state, change.Attribute):
		return change, false
	case part == "disks":
		name := device(at)
		change.Boot = name == domainxml.BootFrom(state.Disks.Elements()) || name == domainxml.BootFrom(p.Disks.Elements())

		return change, true
	case change.Attribute == "placement" && !p.samePages(state):
		change.Attribute = "placement.page_size" // it comes or goes with its placement

		return change, true
	case change.Attribute == "placement.nodes":
		return change, !p.samePages(state) // ordinary memory has no use for them
	default:
		return change, true
	}
}

// device is the name of the disk or interface that a path leads to.
func device(at path.Path) string {
	for _, step := range at.Steps() {
		if key, ok := step.(path.PathStepElementKeyString); ok {
			return string(key)
		}
	}

	return ""
}

// announce tells what the plan disturbs, or refuses it if allow_change does not cover it.
func (p planned) announce(verdicts []verdict, running bool, diags *diag.Diagnostics) {
	if len(verdicts) == 0 || p.AllowChange.IsUnknown() {
		return
	}

	name, worst, allowed := p.Name.ValueString(), verdicts[0], disruption.Parse(p.AllowChange.ValueString())

	if worst.Class > allowed {
		diags.AddAttributeError(worst.at, fmt.Sprintf("Unable to plan VM %q", name), fmt.Sprintf(
			"allow_change lets a plan disturb this machine up to %q, and this one is of class %q.\n%s\nSet allow_change = %q on the machine to allow it, or take the change back.",
			allowed, worst.Class, reasons(verdicts, allowed), worst.Class))

		return
	}

	if worst.Class < disruption.Reboot || !running {
		return
	}

	what := map[disruption.Class]string{disruption.Reboot: "restarted", disruption.Replace: "destroyed and made anew"}[worst.Class]
	diags.AddAttributeWarning(worst.at, fmt.Sprintf("VM %q will be %s", name, what), fmt.Sprintf(
		"It runs, and the plan disturbs it.\n%s", reasons(verdicts, disruption.Live)))
}

// reasons has a line for each attribute whose change is of a higher class than the limit.
func reasons(verdicts []verdict, limit disruption.Class) string {
	var lines []string

	for _, v := range verdicts {
		if v.Class <= limit {
			continue
		}

		kind := ""
		if v.change.Kind == disruption.Undecided {
			kind = ", whose value is not known yet"
		}

		lines = append(lines, fmt.Sprintf("  %s%s: %s, since %s.", v.at, kind, v.Class, v.Reason))
	}

	return strings.Join(lines, "\n")
}

// compare visits each attribute that differs, down to single values and to the names that users give. Lists are values.
func compare(attribute string, at path.Path, before, after tftypes.Value, visit func(disruption.Change, path.Path)) {
	told := func(kind disruption.Kind) { visit(disruption.Change{Attribute: attribute, Kind: kind}, at) }

	switch {
	case before.Equal(after):
	case !after.IsKnown():
		told(disruption.Undecided)
	case after.Type().Is(tftypes.Map{}):
		compareMaps(attribute, at, before, after, visit)
	case before.IsNull():
		told(disruption.Added)
	case after.IsNull():
		told(disruption.Removed)
	case after.Type().Is(tftypes.Object{}):
		was, is := parts(before), parts(after)
		for _, name := range slices.Sorted(maps.Keys(is)) {
			compare(strings.TrimPrefix(attribute+"."+name, "."), at.AtName(name), was[name], is[name], visit)
		}
	default:
		told(disruption.Altered)
	}
}

// compareMaps compares what stands under names; a map that is not there has none.
func compareMaps(attribute string, at path.Path, before, after tftypes.Value, visit func(disruption.Change, path.Path)) {
	was, is := parts(before), parts(after)
	all := maps.Clone(is)
	maps.Copy(all, was)

	for _, name := range slices.Sorted(maps.Keys(all)) {
		key := at.AtMapKey(name)
		old, had := was[name]
		now, has := is[name]

		switch {
		case !had:
			visit(disruption.Change{Attribute: attribute, Kind: disruption.Added}, key)
		case !has:
			visit(disruption.Change{Attribute: attribute, Kind: disruption.Removed}, key)
		default:
			compare(attribute+".*", key, old, now, visit)
		}
	}
}

// parts are the attributes of an object or the elements of a map; null has none.
func parts(value tftypes.Value) map[string]tftypes.Value {
	all := map[string]tftypes.Value{}
	_ = value.As(&all) // it is an object or a map: its type says so

	return all
}

// amount is the planned value of an attribute that drift may speak of, as drift writes it.
func (p planned) amount(attribute string) string {
	switch attribute {
	case "memory":
		return tf.FormatSize(p.Memory.Bytes())
	case "memory_maximum":
		return tf.FormatSize(max(p.Memory.Bytes(), p.MemoryMaximum.Bytes()))
	case "cpu.count":
		return strconv.FormatInt(p.Count.ValueInt64(), 10)
	case "cpu.maximum":
		return strconv.FormatInt(max(p.Count.ValueInt64(), p.Maximum.ValueInt64()), 10)
	default:
		return ""
	}
}

// runs reports whether the running machine has what is planned already, and only its stored definition has not.
func (p planned) runs(state planned, attribute string) bool {
	text, ok := state.Drift.Elements()[attribute].(types.String)

	return ok && text.ValueString() == p.amount(attribute)
}

// within reports whether the running machine can be given what is planned.
func (p planned) within(state planned, attribute string) bool {
	switch attribute {
	case "memory":
		most := p.MemoryMaximum

		return !most.IsNull() && !most.IsUnknown() && most.Means(state.MemoryMaximum) && !p.Memory.IsUnknown() && p.Memory.Bytes() <= most.Bytes()
	case "cpu.count":
		most := p.Maximum

		return !most.IsNull() && most.Equal(state.Maximum) && p.Count.ValueInt64() > state.Count.ValueInt64() && p.Count.ValueInt64() <= most.ValueInt64()
	case "io_threads":
		return len(p.IOThreads.Elements()) == len(state.IOThreads.Elements())
	default:
		return false
	}
}

// judgeDrift collects what it takes to repair what the running machine has of its own.
func (p planned) judgeDrift(state planned, contained bool) (verdicts []verdict) {
	for _, key := range slices.Sorted(maps.Keys(state.Drift.Elements())) {
		if p.runs(state, key) {
			continue
		}

		change := disruption.Change{Attribute: key, Within: p.within(state, key)}

		if name, disk := strings.CutPrefix(key, "disks."); disk {
			change = disruption.Change{Attribute: "disks.*.volume", Boot: name == domainxml.BootFrom(p.Disks.Elements())}
		}

		if strings.HasPrefix(key, "interfaces.") {
			change.Attribute = "interfaces.*.bridge"
		}

		change.Container = contained
		verdicts = append(verdicts, verdict{Rule: disruption.Judge(change), at: path.Root("drift").AtMapKey(key), change: change})
	}

	return verdicts
}
