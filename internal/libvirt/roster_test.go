package libvirt

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lively is a connection to a host with machines, which tells what happens to them. Others change them by their methods.
type lively struct {
	quiet

	mu       sync.Mutex
	machines map[string]string // their definitions by UUID
	running  map[string]bool
	heard    func(change, string)
	silent   bool // events are lost
	asked    []string
}

func (l *lively) follow(heard func(change, string)) error {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.heard = heard

	return nil
}

func (l *lively) domains() ([]Domain, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.asked = append(l.asked, "all")

	var all []Domain
	for uuid, xml := range l.machines {
		all = append(all, Domain{UUID: uuid, Name: uuid, XML: xml, Active: l.running[uuid]})
	}

	return all, nil
}

func (l *lively) domain(uuid string) (Domain, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.asked = append(l.asked, uuid)

	xml, found := l.machines[uuid]
	if !found {
		return Domain{}, ErrNotFound
	}

	return Domain{UUID: uuid, Name: uuid, XML: xml, Active: l.running[uuid]}, nil
}

func (l *lively) isActive(uuid string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.running[uuid], nil
}

func (l *lively) defineDomain(xml string) error {
	l.set(uuidIn(xml), xml, defined)

	return nil
}

// set changes a machine, or removes it, and says so.
func (l *lively) set(uuid, xml string, what change) {
	l.mu.Lock()
	if l.machines[uuid] = xml; xml == "" {
		delete(l.machines, uuid)
	}

	heard := l.heard
	if l.silent {
		heard = nil
	}
	l.mu.Unlock()

	if heard != nil {
		heard(what, uuid)
	}
}

// questions returns what was asked since the last call.
func (l *lively) questions() []string {
	l.mu.Lock()
	defer l.mu.Unlock()

	asked := l.asked
	l.asked = nil

	return asked
}

func xml(uuid string) string { return "<domain><uuid>" + uuid + "</uuid></domain>" }

func definitions(t *testing.T, list func(context.Context) ([]Domain, error)) map[string]string {
	t.Helper()

	domains, err := list(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	all := map[string]string{}
	for _, domain := range domains {
		all[domain.UUID] = domain.XML
	}

	return all
}

func TestWriterListsTheMachinesOnceAndThenOnlyReadsThoseThatChanged(t *testing.T) {
	conn := &lively{machines: map[string]string{"a": "1", "b": "1", "c": "1"}}
	host := over(newCounter(conn))

	if err := host.Define(t.Context(), xml("d")); err != nil {
		t.Fatal(err)
	}

	for step, test := range []struct {
		what string
		do   func()
		want map[string]string
		asks []string
	}{
		{"the first look", func() {}, map[string]string{"a": "1", "b": "1", "c": "1", "d": xml("d")}, []string{"all"}},
		{"nothing happened", func() {}, map[string]string{"a": "1", "b": "1", "c": "1", "d": xml("d")}, nil},
		{"another run marked b", func() { conn.set("b", "2", marked) }, map[string]string{"a": "1", "b": "2", "c": "1", "d": xml("d")}, []string{"b"}},
		{"another run made e", func() { conn.set("e", "1", defined) }, map[string]string{"a": "1", "b": "2", "c": "1", "d": xml("d"), "e": "1"}, []string{"e"}},
		{"another run removed a", func() { conn.set("a", "", touched) }, map[string]string{"b": "2", "c": "1", "d": xml("d"), "e": "1"}, []string{"a"}},
		{"what is gone is asked for once", func() {}, map[string]string{"b": "2", "c": "1", "d": xml("d"), "e": "1"}, nil},
		{"this run wrote to c", func() { _ = host.SetAutostart(t.Context(), "c", true) }, map[string]string{"b": "2", "c": "1", "d": xml("d"), "e": "1"}, []string{"c"}},
	} {
		test.do()

		for range 3 {
			if diff := cmp.Diff(test.want, definitions(t, host.DomainsNow)); diff != "" {
				t.Errorf("%d, %s (-want +got):\n%s", step, test.what, diff)
			}
		}

		if diff := cmp.Diff(test.asks, conn.questions()); diff != "" {
			t.Errorf("%d, %s: the host was asked (-want +got):\n%s", step, test.what, diff)
		}
	}

	if domain, err := host.Domain(t.Context(), "b"); err != nil || domain.XML != "2" || len(conn.questions()) != 0 {
		t.Errorf("A machine that is known: %+v, %v", domain, err)
	}

	if _, err := host.Domain(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("A machine that was removed: %v", err)
	}
}

// TestWriteIsOverWhenItsEventHasCome holds what settles who gets a CPU: of two runs the one whose write came later sees the other's.
// TestMachineThatWasSeenToStopIsNotSaidToRun looks at a machine between its end and the event of that.
func TestMachineThatWasSeenToStopIsNotSaidToRun(t *testing.T) {
	conn := &lively{machines: map[string]string{"a": "1", "b": "1"}, running: map[string]bool{"a": true, "b": true}}
	host := over(newCounter(conn))

	if err := host.Define(t.Context(), xml("c")); err != nil { // from here on events are followed
		t.Fatal(err)
	}

	for step, test := range []struct {
		what string
		runs bool
		asks []string
	}{
		{"the first look", true, []string{"all"}},
		{"it runs as is known", true, nil},
		{"it stopped", false, []string{"a"}},
		{"it is off as is known", false, nil},
		{"it runs again", true, []string{"a"}},
	} {
		conn.mu.Lock()
		conn.running["a"] = test.runs
		conn.mu.Unlock()

		if active, err := host.Active(t.Context(), "a"); err != nil || active != test.runs {
			t.Fatalf("%d, %s: Active: %t, %v", step, test.what, active, err)
		}

		definitions(t, host.Domains)

		if domain, err := host.Domain(t.Context(), "a"); err != nil || domain.Active != test.runs {
			t.Errorf("%d, %s: %+v, %v", step, test.what, domain, err)
		}

		if diff := cmp.Diff(test.asks, conn.questions()); diff != "" {
			t.Errorf("%d, %s: the host was asked (-want +got):\n%s", step, test.what, diff)
		}
	}
}

func TestWriteIsOverWhenItsEventHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &lively{machines: map[string]string{"b": "1"}}
		host := over(newCounter(conn))

		if err := host.Define(t.Context(), xml("a")); err != nil {
			t.Fatal(err)
		}

		definitions(t, host.DomainsNow)

		conn.mu.Lock()
		conn.silent = true
		conn.mu.Unlock()

		written := make(chan error, 1)
		go func() { written <- host.SetMetadata(t.Context(), "a", "<mark/>", "key", "urn:mark") }()

		synctest.Wait()

		select {
		case err := <-written:
			t.Fatalf("The write is over before its event came: %v", err)
		default:
		}

		conn.set("b", "2", marked) // by another run, before; its event is on its way
		host.heard(marked, "b")
		host.heard(marked, "a")

		if err := <-written; err != nil {
			t.Error(err)
		}

		if got := definitions(t, host.DomainsNow); got["b"] != "2" {
			t.Errorf("After its own event the run sees %v", got)
		}
	})
}

func TestHostWithoutEventsIsListedAnewForEveryLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &lively{machines: map[string]string{"a": "1"}, silent: true}
		host := over(newCounter(conn))
		began := time.Now()

		if err := host.Define(t.Context(), xml("b")); err != nil {
			t.Fatal(err)
		}

		if waited := time.Since(began); waited != eventTimeout {
			t.Errorf("The first write waited %s for its event, want %s", waited, eventTimeout)
		}

		if err := host.Define(t.Context(), xml("c")); err != nil {
			t.Fatal(err)
		}

		if waited := time.Since(began); waited != eventTimeout {
			t.Errorf("The second write waited for an event, too: %s", waited)
		}

		conn.questions()

		for _, want := range [][]string{{"a", "b", "c"}, {"a", "b", "c", "d"}} {
			if got := slices.Sorted(maps.Keys(definitions(t, host.DomainsNow))); !slices.Equal(got, want) {
				t.Errorf("The host has %v, want %v", got, want)
			}

			conn.set("d", "1", defined)
		}

		if diff := cmp.Diff([]string{"all", "all"}, conn.questions()); diff != "" {
			t.Errorf("Two looks asked (-want +got):\n%s", diff)
		}
	})
}

func TestListIsNotKeptCurrentForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &lively{machines: map[string]string{"a": "1"}}
		host := over(newCounter(conn))

		if err := host.Define(t.Context(), xml("b")); err != nil {
			t.Fatal(err)
		}

		definitions(t, host.DomainsNow)

		conn.mu.Lock()
		conn.machines["a"] = "2" // as a pin in the stored definition changes: without an event
		conn.mu.Unlock()

		if got := definitions(t, host.DomainsNow); got["a"] != "1" {
			t.Errorf("The list is %v", got)
		}

		<-time.After(rosterAge + time.Second)

		if got := definitions(t, host.DomainsNow); got["a"] != "2" {
			t.Errorf("After %s the list is %v", rosterAge, got)
		}
	})
}
