package pair_test

import (
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/pair"
)

// carryOut does to the world what a step does.
func (w *world) carryOut(m *member, step pair.Step) {
	switch step.Kind {
	case pair.Wait:
	case pair.Acquire:
		if m.consul && w.holder == "" {
			w.holder = m.name
		}
	case pair.Release:
		if m.consul && w.holder == m.name {
			w.holder = ""
		}
	case pair.Write:
		w.write(m, change{by: m.name, seen: m.seen, to: step.Record})
	default:
		if m.up && m.starts == m.seenStart { // a step is for the server that was seen
			w.serverStep(m, step)
		}
	}
}

// serverStep is a step that the member's own server takes.
func (w *world) serverStep(m *member, step pair.Step) {
	other := w.members[m.other]

	switch step.Kind {
	case pair.Fence:
		if len(m.unacked) > 0 { // commits that wait do not let writes end
			w.crash(m)
		}

		m.writable, m.mark = false, len(m.log)
	case pair.WaitOn:
		m.waits, m.markFor = true, ""
	case pair.WaitOff:
		m.waits = false
		w.acked = append(w.acked, pending(m)...)
		clear(m.unacked)
	case pair.Detach:
		m.log, m.relay = slices.Concat(m.log, m.relay), nil
		m.following, m.diverged = "", false
	case pair.Promote:
		m.writable, m.markFor = true, ""
	case pair.Follow:
		if m.following != "" { // what was received from another is thrown away
			m.starts++
			m.lineage, m.relay = m.starts, nil
		}

		m.following, m.waits, m.diverged = step.Member, false, false
	case pair.Copy:
		if other.up && w.linked {
			m.log, m.relay, m.following, m.diverged, m.waits = slices.Clone(other.log), nil, step.Member, false, false
			m.starts++
			m.lineage = m.starts
		}
	}
}

func pending(m *member) []int {
	var writes []int

	for _, write := range m.log {
		if m.unacked[write] {
			writes = append(writes, write)
		}
	}

	return writes
}

// write changes the record now, or later, or not at all, and the member may not learn which.
func (w *world) write(m *member, c change) {
	switch {
	case !m.consul:
		m.unsure = true
	case w.chance(20):
		m.unsure = true
		w.late = append(w.late, c)
		w.sayf("%s: its change of the record is under way", m.name)
	default:
		if w.apply(c) {
			m.unsure = false
		}
	}
}

func (w *world) apply(c change) bool {
	if w.holder != c.by || w.record.Epoch != c.seen {
		return false
	}

	w.record = c.to

	return true
}

// deliver lets changes arrive that were under way.
func (w *world) deliver(fair bool) {
	w.late = slices.DeleteFunc(w.late, func(c change) bool {
		if !fair && w.chance(70) {
			return false
		}

		w.sayf("%s: its late change arrives: %t", c.by, w.apply(c))

		return true
	})
}
