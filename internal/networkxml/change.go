package networkxml

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// Section is the part of a network that a Change is about.
type Section int

// The sections that change while the network runs.
const (
	Ranges Section = iota
	Hosts
)

// Change is one call of virNetworkUpdate. A running network takes it without letting go of its guests, which keep their
// leases.
type Change struct {
	Section Section
	Add     bool   // or delete
	Subnet  int    // position of the subnet in the definition; -1 has libvirt look for the one with DHCP
	XML     string // the element that is added or deleted
}

// Changes returns what turns the DHCP of a definition as Parse read it into the other one. All that goes comes first,
// since libvirt refuses a MAC, a name or an address that is still in another reservation.
func Changes(existing Spec, to DHCP) ([]Change, error) {
	from, e := existing.DHCP, edit{spec: existing}

	e.ranges(false, from.Ranges, to.Ranges)
	e.hosts(false, from.Hosts, to.Hosts)
	e.ranges(true, to.Ranges, from.Ranges)
	e.hosts(true, to.Hosts, from.Hosts)

	return e.changes, e.err
}

type edit struct {
	spec    Spec
	changes []Change
	err     error
}

// ranges adds or deletes those that are not among the others.
func (e *edit) ranges(add bool, ranges, others []Range) {
	for _, leased := range sortedRanges(ranges) {
		if !slices.Contains(others, leased) {
			e.put(Change{Section: Ranges, Add: add}, leased.Start, rangeElement(leased))
		}
	}
}

// hosts adds or deletes those that are not among the others, or are otherwise there.
func (e *edit) hosts(add bool, hosts, others map[string]Host) {
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		if other, found := others[name]; !found || other != hosts[name] {
			e.put(Change{Section: Hosts, Add: add}, hosts[name].Address, hostElement(name, hosts[name]))
		}
	}
}

func (e *edit) put(change Change, address netip.Addr, element any) {
	text, err := xml.Marshal(element)
	if err != nil {
		e.err = fmt.Errorf("render a change of network %q: %w", e.spec.Name, err)
	}

	change.XML = string(text)
	change.Subnet = slices.IndexFunc(e.spec.Addresses, func(subnet netip.Prefix) bool { return subnet.Contains(address) })
	e.changes = append(e.changes, change)
}
