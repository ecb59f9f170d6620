package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// The lines in the guide that its table stands between.
const (
	tableBegins = "<!-- begin of the table that make bench writes -->"
	tableEnds   = "<!-- end of the table that make bench writes -->"
)

// row is a line of the guide's table. Ours, other and ratio name figures.
type row struct {
	what, ours, other, against, ratio, aim, bound string
}

// rows are what the guide shows, in its order.
var rows = []row{
	{
		what: "Reading 1,000 machines of two hosts", ours: "refresh_1000_vms_seconds", ratio: "refresh_1000_vms_ratio", aim: "at most 1.3",
		other: "refresh_1000_vms_nothing_seconds", against: "a provider with the same schema that does nothing",
		bound: "Terraform's own work on 1,000 objects, which both pay; then reading definitions (XML) and decoding states",
	},
	{
		what: "The same, and what the schema costs", ours: "refresh_1000_vms_seconds", ratio: "refresh_1000_vms_tiny_ratio", aim: "at most 1.5",
		other: "refresh_1000_vms_tiny_seconds", against: "a provider with two attributes that does nothing",
		bound: "what Terraform takes longer for the schema alone; the rest is as above",
	},
	{what: "Reads of definitions in that", ours: "refresh_1000_vms_definitions_read", aim: "one a machine", bound: "libvirt lists no definitions in bulk"},
	{what: "All other calls to libvirt in that", ours: "refresh_1000_vms_other_libvirt_calls", aim: "the same for any number of machines", bound: "two connections"},
	{what: "The provider's memory at that", ours: "refresh_1000_vms_provider_memory_mib", bound: "the definitions and the garbage of a plan"},
	{
		what: "Creating and starting 50 machines", ours: "create_50_vms_seconds", ratio: "create_50_vms_ratio", aim: "at most 1.3",
		other: "create_50_vms_raw_seconds", against: "the same definitions made by libvirt's binding, ten at a time", bound: "starting QEMU",
	},
	{
		what: "The same at 20 ms of latency each way", ours: "create_50_vms_at_20ms_seconds", ratio: "create_50_vms_at_20ms_ratio", aim: "at most 1.3",
		other: "create_50_vms_at_20ms_raw_seconds", against: "as above, at the same latency", bound: "starting QEMU; then the calls that follow each other for a machine",
	},
	{
		what: "Calls to libvirt in that", ours: "create_50_vms_at_20ms_libvirt_calls",
		other: "create_50_vms_at_20ms_raw_libvirt_calls", against: "a definition and a start for each",
		bound: "claiming CPUs, marking what is complete, and reading back what became of it",
	},
	{
		what: "Reading 1,000 Consul services of ten instances each", ours: "refresh_1000_services_of_10_seconds", ratio: "refresh_1000_services_of_10_ratio", aim: "at most 1.3",
		other: "refresh_1000_services_of_10_nothing_seconds", against: "a provider with the same schema that does nothing",
		bound: "Terraform's own work on 10,000 objects; then decoding states",
	},
	{what: "Requests in that", ours: "refresh_1000_services_requests", aim: "one a service", bound: "Consul answers for one service at a time"},
	{
		what: "Reading 1,000 routes and their upstreams in Traefik", ours: "refresh_1000_routes_traefik_seconds", ratio: "refresh_1000_routes_traefik_ratio", aim: "at most 1.3",
		other: "refresh_1000_routes_traefik_nothing_seconds", against: "a provider with the same schema that does nothing",
		bound: "Terraform's own work on 2,000 objects; then comparing what was read with what would be written",
	},
	{what: "Requests in that", ours: "refresh_1000_routes_traefik_requests", bound: "all keys come in one"},
	{
		what: "The same in Kong", ours: "refresh_1000_routes_kong_seconds", ratio: "refresh_1000_routes_kong_ratio", aim: "at most 1.3",
		other: "refresh_1000_routes_kong_nothing_seconds", against: "a provider with the same schema that does nothing", bound: "as above",
	},
	{what: "Requests in that", ours: "refresh_1000_routes_kong_requests", bound: "Kong lists targets for one upstream at a time"},
	{
		what: "Making 1,000 services, ten at a time", ours: "make_1000_services_seconds", ratio: "make_1000_services_speedup_ratio", aim: "at least 5 times faster",
		other: "make_1000_services_one_by_one_seconds", against: "one request after another, 10 ms away",
		bound: "ten that come together share two transactions",
	},
	{
		what: "The same, a hundred at a time", ours: "make_1000_services_100_at_once_seconds", ratio: "make_1000_services_100_at_once_speedup_ratio", aim: "at least 5 times faster",
		other: "make_1000_services_one_by_one_seconds", against: "as above", bound: "Consul's limit of 128 operations a transaction",
	},
	{
		what: "The same by Terraform, ten at a time", ours: "apply_1000_services_seconds", ratio: "apply_1000_services_speedup_ratio",
		other: "make_1000_services_one_by_one_seconds", against: "as above",
		bound: "Terraform, which writes its whole state again and again",
	},
	{
		what: "Making 1,000 routes and upstreams in Traefik, ten at a time", ours: "write_1000_routes_traefik_together_seconds", ratio: "write_1000_routes_traefik_ratio", aim: "at least 5 times faster",
		other: "write_1000_routes_traefik_one_by_one_seconds", against: "one after another, 10 ms away", bound: "ten that come together share a transaction",
	},
	{
		what: "The same in Kong", ours: "write_1000_routes_kong_together_seconds", ratio: "write_1000_routes_kong_ratio", aim: "at least 5 times faster",
		other: "write_1000_routes_kong_one_by_one_seconds", against: "one after another, 2 ms away", bound: "Kong takes one object a request",
	},
	{what: "Planning a platform of some 250 machines on hosts that nobody has", ours: "plan_platform_seconds", bound: "Terraform's own work; the placement of all machines"},
	{what: "The most memory of a process in that", ours: "plan_platform_memory_mib", bound: "Terraform"},
}

// markdown is the guide's table of a result.
func (r result) markdown() string {
	var text strings.Builder

	fmt.Fprintf(&text, "Medians of up to %d rounds on a machine with %d cores and %d GiB of memory, whose load average was %s before.\n\n",
		r.rounds(), r.Cores, r.MemoryGiB, r.loads())
	text.WriteString("| What | Ours | Compared with | Ratio | Aim | What bounds it |\n|---|---|---|---|---|---|\n")

	for _, row := range rows {
		compared := ""
		if row.other != "" {
			compared = r.shown(row.other) + ": " + row.against
		}

		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s |\n", row.what, r.shown(row.ours), compared, r.shown(row.ratio), row.aim, row.bound)
	}

	return text.String()
}

// taken are those of the figures that the table shows.
func (r result) taken() (taken []figure) {
	for _, row := range rows {
		for _, name := range []string{row.ours, row.other, row.ratio} {
			if found, measured := r.find(name); measured {
				taken = append(taken, found)
			}
		}
	}

	return taken
}

// rounds is the most samples that a figure has.
func (r result) rounds() (most int) {
	for _, one := range r.taken() {
		most = max(most, len(one.Samples))
	}

	return most
}

// loads are the load averages before the figures were taken, which may have been on several occasions.
func (r result) loads() string {
	var all []float64
	for _, one := range r.taken() {
		all = append(all, one.Load)
	}

	if len(all) == 0 {
		return "not measured"
	}

	least, most := slices.Min(all), slices.Max(all)
	if least == most {
		return decimal(least)
	}

	return decimal(least) + " to " + decimal(most)
}

// shown is how the table shows a figure: with three digits, and ratios and counts without a unit.
func (r result) shown(name string) string {
	if name == "" {
		return ""
	}

	found, measured := r.find(name)

	switch {
	case !measured:
		return "not measured"
	case found.Unit == times:
		return fmt.Sprintf("%.2f", found.Value)
	case found.Unit == calls, found.Unit == count:
		return decimal(found.Value)
	default:
		return fmt.Sprintf("%.3g %s", found.Value, found.Unit)
	}
}

// withTable returns the guide with another table.
func withTable(guide, table string) (string, error) {
	before, rest, begins := strings.Cut(guide, tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)

	if !begins || !ends {
		return "", fmt.Errorf("write the guide: it lacks the lines %q and %q", tableBegins, tableEnds)
	}

	return before + tableBegins + "\n\n" + table + "\n" + tableEnds + after, nil
}

// publish merges the figures into the result that is kept, and writes the guide's table anew.
func publish(figures result, kept, guide string) error {
	old, err := readResult(kept)
	if err != nil {
		return err
	}

	merged := old.merge(figures)

	if err := writeJSON(kept, merged); err != nil {
		return err
	}

	text, err := os.ReadFile(guide)
	if err != nil {
		return fmt.Errorf("write the guide: %w", err)
	}

	changed, err := withTable(string(text), merged.markdown())
	if err != nil {
		return err
	}

	if err := os.WriteFile(guide, []byte(changed), 0o644); err != nil {
		return fmt.Errorf("write the guide: %w", err)
	}

	return nil
}
