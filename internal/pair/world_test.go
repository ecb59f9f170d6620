package pair_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/pair"
)

// world is two servers, their agents and Consul, in which everything that may go wrong does: links are cut, servers and
// agents crash, steps are carried out long after they were decided, answers are lost, and changes arrive late.
type world struct {
	random  *rand.Rand
	members map[string]*member
	linked  bool // the members with each other
	holder  string
	record  pair.Record
	late    []change // changes of the record that are still under way
	writes  int
	acked   []int
	trace   []string
}

type change struct {
	by   string
	seen int // the epoch of the record that was read
	to   pair.Record
}

// member is a server and its agent.
type member struct {
	name, other     string
	consul          bool // linked with Consul
	away            int  // rounds without Consul
	up              bool
	starts          int
	lineage         int
	markFor         string // the lineage of the other member that the mark is for
	writable, waits bool
	following       string
	log             []int // durable
	relay           []int // received, not applied; lost in a restart
	diverged        bool
	unacked         map[int]bool
	mark            int // length of the log when commits began to wait, or writes ended
	replicaAway     int
	unsure          bool
	decided         *pair.Step
	seen            int // epoch of the record when the step was decided
	seenStart       int
	rounds          int // since the step was decided
}

func newWorld(seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 1)), linked: true, members: map[string]*member{}}

	for name, other := range map[string]string{"alpha": "beta", "beta": "alpha"} {
		w.members[name] = &member{name: name, other: other, consul: true, up: true, starts: 1, lineage: 1, unsure: true, unacked: map[int]bool{}}
	}

	return w
}

func (w *world) sayf(format string, values ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, values...))
}

func (w *world) chance(percent int) bool { return w.random.IntN(100) < percent }

// each visits the members in an order that depends on the seed only.
func (w *world) each(visit func(*member)) {
	names := []string{"alpha", "beta"}
	if w.chance(50) {
		slices.Reverse(names)
	}

	for _, name := range names {
		visit(w.members[name])
	}
}

// received is all that the member has, applied or not.
func (m *member) received() []int { return slices.Concat(m.log, m.relay) }

// streams says whether the member receives from the other one now.
func (w *world) streams(m *member) bool {
	return m.up && !m.diverged && m.following == m.other && w.members[m.other].up && w.linked
}

func (w *world) view(m *member) pair.View {
	other := w.members[m.other]
	v := pair.View{
		Me: m.name, First: m.name == "alpha", Other: m.other,
		Known: m.consul, Blind: m.away > 3, Holder: w.holder, Record: w.record, Unsure: m.unsure,
		Server: pair.Server{
			Up: m.up, Lineage: fmt.Sprint(m.lineage), Writable: m.writable, Waits: m.waits, Replica: w.streams(other),
			Following: m.following, Diverged: m.diverged,
		},
		Lost: m.replicaAway > 3,
	}
	v.Record.InSync = maps.Clone(w.record.InSync)

	if other.consul && other.up {
		v.OtherLineage = fmt.Sprint(other.lineage)
		if m.waits && m.writable && m.markFor != v.OtherLineage {
			m.mark, m.markFor = len(m.log), v.OtherLineage
		}

		v.CaughtUp = w.streams(other) && len(other.received()) >= m.mark
	}

	return v
}

// round lets everything happen once. In a fair one nothing goes wrong and everybody has a turn.
func (w *world) round(fair bool) {
	if !fair {
		w.trouble()
	}

	w.expire(fair)
	w.each(func(m *member) { w.replicate(m) })
	w.each(func(m *member) { w.client(m) })
	w.each(func(m *member) { w.act(m, fair) })
	w.deliver(fair)
}

// trouble cuts and mends links and crashes servers and agents.
func (w *world) trouble() {
	if w.chance(5) {
		w.linked = !w.linked
		w.sayf("link between the members: %t", w.linked)
	}

	w.each(func(m *member) {
		if w.chance(5) {
			m.consul = !m.consul
			w.sayf("%s reaches Consul: %t", m.name, m.consul)
		}

		if m.up && w.chance(3) {
			w.crash(m)
		}

		if w.chance(2) {
			m.decided, m.unsure = nil, true
			w.sayf("%s: the agent is restarted", m.name)
		}
	})
}

func (w *world) crash(m *member) {
	m.up, m.writable, m.waits, m.relay = false, false, false, nil
	w.sayf("%s: the server dies", m.name)
}

// boot starts a server. Unless it keeps its lineage, its recovery may drop the end of its log.
func (w *world) boot(m *member) {
	m.up, m.waits, m.unacked = true, false, map[int]bool{}
	m.starts++

	if pair.Keeps(m.name, fmt.Sprint(m.lineage), m.following, w.record) {
		w.sayf("%s: the server starts and keeps its %d writes", m.name, len(m.log))

		return
	}

	m.lineage = m.starts

	if len(m.log) > 0 {
		m.log = m.log[:len(m.log)-w.random.IntN(min(3, len(m.log)))]
	}

	w.sayf("%s: the server starts as a replica with %d writes", m.name, len(m.log))
}

// expire takes the lock from a holder that Consul has not heard of.
func (w *world) expire(fair bool) {
	w.each(func(m *member) {
		if m.consul {
			m.away = 0
		} else {
			m.away++
		}

		if !m.up && m.consul && (fair || w.chance(30)) {
			w.boot(m)
		}
	})

	if w.holder != "" && !w.members[w.holder].consul && w.chance(30) {
		w.sayf("%s loses the lock", w.holder)
		w.holder = ""
	}
}

// replicate lets a replica receive and apply, and its primary learn of what was received.
func (w *world) replicate(m *member) {
	other := w.members[m.other]

	if w.streams(m) {
		have := m.received()
		if len(have) > len(other.log) || !slices.Equal(have, other.log[:len(have)]) {
			m.diverged = true
			w.sayf("%s: has writes that %s has not", m.name, other.name)
		} else if len(have) < len(other.log) {
			next := other.log[len(have)]
			m.relay = append(m.relay, next)

			if other.unacked[next] && w.chance(90) { // the acknowledgement of the replica may be lost
				w.ack(other, next)
			}
		}
	}

	if w.streams(m) {
		other.replicaAway = 0
	} else {
		other.replicaAway++
	}

	if m.up && len(m.relay) > 0 && w.chance(60) {
		m.log, m.relay = append(m.log, m.relay[0]), m.relay[1:]
	}
}

// ack tells a client of its write, and of those before it, since a replica receives in order.
func (w *world) ack(m *member, write int) {
	for _, earlier := range m.log {
		if m.unacked[earlier] {
			w.acked = append(w.acked, earlier)
			w.sayf("%s: write %d, acknowledged", m.name, earlier)
			delete(m.unacked, earlier)
		}

		if earlier == write {
			return
		}
	}
}

// client writes wherever writes are taken.
func (w *world) client(m *member) {
	if !m.up || !m.writable || w.chance(40) {
		return
	}

	w.writes++
	m.log = append(m.log, w.writes)

	if m.waits {
		m.unacked[w.writes] = true
	} else {
		w.acked = append(w.acked, w.writes)
		w.sayf("%s: write %d, acknowledged alone", m.name, w.writes)
	}
}

// act decides, or carries out what was decided some time ago.
func (w *world) act(m *member, fair bool) {
	if m.decided == nil {
		v := w.view(m)
		step := pair.Next(v)
		m.decided, m.seen, m.seenStart, m.rounds = &step, v.Record.Epoch, m.starts, 0

		if !fair && w.chance(50) {
			return
		}
	}

	if m.rounds++; !fair && w.chance(30) && m.rounds < 8 {
		return
	}

	step := *m.decided
	m.decided = nil

	if step.Kind != pair.Wait {
		w.sayf("%s: %s %s %+v (holder %q, record %+v)", m.name, step.Kind, step.Member, step.Record, w.holder, w.record)
	}

	w.carryOut(m, step)
}
