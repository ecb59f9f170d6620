package pair_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/pair"
)

// TestNoAcknowledgedWriteIsLostWhateverGoesWrong runs thousands of histories, each followed by a time of peace in which the
// pair must come back by itself, with every acknowledged write.
func TestNoAcknowledgedWriteIsLostWhateverGoesWrong(t *testing.T) {
	var acked, epochs int

	for seed := range uint64(4000) {
		w := newWorld(seed)

		for range 300 {
			w.round(false)
		}

		w.linked = true
		w.each(func(m *member) { m.consul = true })

		for range 200 {
			w.round(true)
		}

		primary := w.settled(t, seed)

		for _, write := range w.acked {
			if !slices.Contains(primary.log, write) {
				t.Fatalf("Seed %d: write %d was acknowledged and %s does not have it:\n%s", seed, write, primary.name, around(w.trace, write))
			}
		}

		acked, epochs = acked+len(w.acked), epochs+w.record.Epoch
	}

	if acked == 0 || epochs < 8000 {
		t.Fatalf("The histories are too quiet to show anything: %d writes, %d changes of the record", acked, epochs)
	}

	t.Logf("%d acknowledged writes, %d changes of the record", acked, epochs)
}

// settled returns the one primary, whose replica is in sync.
func (w *world) settled(t *testing.T, seed uint64) *member {
	t.Helper()

	primary := w.members[w.record.Primary]
	if primary == nil || !primary.writable || w.holder != primary.name || w.members[primary.other].writable ||
		!w.inSync("alpha") || !w.inSync("beta") || !w.streams(w.members[primary.other]) {
		t.Fatalf("Seed %d: the pair did not come back: holder %q, record %+v, alpha %+v, beta %+v\n%s",
			seed, w.holder, w.record, *w.members["alpha"], *w.members["beta"], tail(w.trace))
	}

	return primary
}

func (w *world) inSync(name string) bool {
	return w.record.InSync[name] == fmt.Sprint(w.members[name].lineage)
}

// around is what happened about the time of a write.
func around(trace []string, write int) string {
	at := slices.IndexFunc(trace, func(line string) bool { return strings.Contains(line, fmt.Sprintf(": write %d, ack", write)) })

	return strings.Join(trace[max(0, at-25):min(len(trace), at+40)], "\n")
}

func tail(trace []string) string {
	return strings.Join(trace[max(0, len(trace)-60):], "\n")
}

func TestWishIsGrantedWithoutLosingAWrite(t *testing.T) {
	for seed := range uint64(200) {
		w := newWorld(seed)

		for range 100 {
			w.round(true)
		}

		before := w.settled(t, seed)
		w.record.Wish = before.other
		w.record.Epoch++

		for range 100 {
			w.round(true)
		}

		after := w.settled(t, seed)
		if after.name != before.other || w.record.Wish != "" {
			t.Fatalf("Seed %d: the primary is still %s, the record %+v\n%s", seed, after.name, w.record, tail(w.trace))
		}

		for _, write := range w.acked {
			if !slices.Contains(after.log, write) {
				t.Fatalf("Seed %d: write %d was lost\n%s", seed, write, tail(w.trace))
			}
		}
	}
}

func TestNext(t *testing.T) {
	both := pair.Record{Primary: "alpha", InSync: map[string]string{"alpha": "1", "beta": "1"}, Epoch: 3}
	alone := pair.Record{Primary: "alpha", InSync: map[string]string{"alpha": "1"}, Epoch: 3}
	wished := pair.Record{Primary: "alpha", InSync: both.InSync, Epoch: 4, Wish: "beta"}
	serving := pair.Server{Up: true, Lineage: "1", Writable: true, Waits: true, Replica: true}

	tests := map[string]struct {
		view pair.View
		want pair.Kind
	}{
		"the first member begins":                       {pair.View{First: true, Known: true, Server: pair.Server{Up: true}}, pair.Acquire},
		"the other one leaves it the beginning":         {pair.View{Known: true, Server: pair.Server{Up: true}}, pair.Wait},
		"a primary without Consul goes on for a while":  {pair.View{Server: serving}, pair.Wait},
		"and then ends":                                 {pair.View{Blind: true, Server: serving}, pair.Fence},
		"a primary without the lock ends at once":       {pair.View{Known: true, Holder: "beta", Record: both, Server: serving}, pair.Fence},
		"a replica that was restarted does not stand":   {pair.View{Me: "beta", Other: "alpha", Known: true, Record: both, Server: pair.Server{Up: true, Lineage: "2"}}, pair.Wait},
		"a replica out of sync does not stand":          {pair.View{Me: "beta", Other: "alpha", Known: true, Record: alone, Server: pair.Server{Up: true, Lineage: "1"}}, pair.Wait},
		"a replica in sync stands":                      {pair.View{Me: "beta", Other: "alpha", Known: true, Record: both, Server: pair.Server{Up: true, Lineage: "1"}}, pair.Acquire},
		"a lost replica leaves the record first":        {pair.View{Lost: true, Known: true, Holder: "alpha", Record: both, Server: serving}, pair.Write},
		"and only then commits stop to wait":            {pair.View{Lost: true, Known: true, Holder: "alpha", Record: alone, Server: serving}, pair.WaitOff},
		"a replica whose data is another one leaves it": {pair.View{OtherLineage: "2", Known: true, Holder: "alpha", Record: both, Server: serving}, pair.Write},
		"not while a change is under way":               {pair.View{Unsure: true, Lost: true, Known: true, Holder: "alpha", Record: alone, Server: serving}, pair.Write},
		"a dead primary gives way":                      {pair.View{Known: true, Holder: "alpha", Record: both}, pair.Release},
		"nobody is replaced unasked if people decide":   {pair.View{Manual: true, Me: "beta", Other: "alpha", Known: true, Record: both, Server: pair.Server{Up: true, Lineage: "1"}}, pair.Wait},
		"but when they ask for it":                      {pair.View{Manual: true, Me: "beta", Other: "alpha", Known: true, Record: wished, Server: pair.Server{Up: true, Lineage: "1"}}, pair.Acquire},
		"and the primary itself comes back":             {pair.View{Manual: true, Known: true, Record: both, Server: pair.Server{Up: true, Lineage: "1"}}, pair.Acquire},
		"unless nobody could take over":                 {pair.View{Known: true, Holder: "alpha", Record: alone}, pair.Wait},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.view.Me == "" {
				test.view.Me, test.view.Other = "alpha", "beta"
			}

			if got := pair.Next(test.view); got.Kind != test.want {
				t.Errorf("the next step is %+v, want %s", got, test.want)
			}
		})
	}
}
