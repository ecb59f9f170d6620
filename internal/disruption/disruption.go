// Package disruption knows what a change of a machine's declaration does to the machine while it runs. The rules are a
// table, from which plans, checks and the documentation are made.
package disruption

import (
	"fmt"
	"strings"
)

// A Class is how much a change disturbs the machine that runs. They are ordered: whoever allows one allows all before it.
type Class int

const (
	// None touches nothing that the guest could notice.
	None Class = iota
	// Live changes the running machine: its process and its guest go on.
	Live
	// Reboot powers the machine off and starts it again, with the same UUID and disks.
	Reboot
	// Replace removes the machine and makes another one, with a new UUID. Volumes stay.
	Replace
)

var names = []string{"none", "live", "reboot", "replace"}

// Names are the classes as they are written in configurations, in their order.
func Names() []string { return append([]string(nil), names...) }

// String is the class as it is written in configurations.
func (c Class) String() string { return names[c] }

// Parse reads what String writes. Anything else is Live, the most that is allowed unless somebody says otherwise.
func Parse(name string) Class {
	for class, known := range names {
		if known == name {
			return Class(class)
		}
	}

	return Live
}

// A Change is one attribute that a plan changes.
type Change struct {
	Attribute string // as Rule has it
	Kind      Kind
	Boot      bool // it concerns the disk that the machine boots from
	Container bool // the machine is a container of the operating-system kind
	Staying   bool // the machine is of a kind that is not moved as it runs
	Within    bool // an amount that the running machine can be given, up to the maximum that it was started with
}

// A Kind is what happens to an attribute.
type Kind int

const (
	// Altered attributes have another value.
	Altered Kind = iota
	// Added ones had none.
	Added
	// Removed ones have none any more.
	Removed
	// Undecided ones have a value that is known only in the apply.
	Undecided
)

// Judge returns the rule that decides about the change. What is undecided is judged by the worst that it may turn out to
// be, with all that is below it. An attribute without a rule falls under the one that it is part of.
func Judge(change Change) Rule {
	if change.Kind == Undecided {
		return worst(change)
	}

	for attribute := change.Attribute; ; {
		for _, rule := range rules {
			if rule.Attribute == attribute && rule.When.holds(change) {
				return rule
			}
		}

		dot := strings.LastIndexByte(attribute, '.')
		if dot < 0 {
			return Rule{Attribute: change.Attribute, Class: Replace, Reason: "nothing is known about how to change it on a machine that there is"}
		}

		attribute = attribute[:dot]
	}
}

func worst(change Change) Rule {
	for _, rule := range rules {
		if change.Container && rule.When == ofContainer && rule.Attribute == change.Attribute {
			return rule
		}
	}

	found := Rule{Attribute: change.Attribute, Class: None}
	known := false

	for _, rule := range rules {
		below := rule.Attribute == change.Attribute || strings.HasPrefix(rule.Attribute, change.Attribute+".")
		if below && (!known || rule.Class > found.Class) && (rule.When != ofBootDisk || change.Boot) && rule.When != ofContainer && (rule.When != staying || change.Staying) {
			found, known = rule, true
		}
	}

	if known {
		return found
	}

	if dot := strings.LastIndexByte(change.Attribute, '.'); dot >= 0 {
		change.Attribute = change.Attribute[:dot]

		return worst(change)
	}

	return Judge(Change{Attribute: change.Attribute})
}

// Markdown is the table of all rules, for the documentation.
func Markdown() string {
	var text strings.Builder

	text.WriteString("| Attribute | Change | Class | Why |\n|---|---|---|---|\n")

	for _, rule := range rules {
		fmt.Fprintf(&text, "| `%s` | %s | `%s` | %s |\n", rule.Attribute, rule.When, rule.Class, rule.Reason)
	}

	return text.String()
}
