package libvirt

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/google/go-cmp/cmp"
)

// mark is a mark with a digest that tells it from others.
func mark(t *testing.T, digest string) string {
	t.Helper()

	text, err := domainxml.RenderMark(domainxml.Spec{Mark: domainxml.Mark{Digest: digest}})
	if err != nil {
		t.Fatal(err)
	}

	return text
}

// definedAs is the definition of machine a with that mark.
func definedAs(t *testing.T, digest string) string {
	t.Helper()

	return "<domain><uuid>a</uuid><metadata>" + mark(t, digest) + "</metadata></domain>"
}

func (l *lively) setMetadata(uuid, xml, _, _ string) error {
	l.mu.Lock()
	after, err := domainxml.Remark(l.machines[uuid], xml)
	l.mu.Unlock()

	if err == nil {
		l.set(uuid, after, marked)
	}

	return nil
}

func (l *lively) startDomain(uuid string) error {
	l.mu.Lock()
	definition := l.machines[uuid]
	l.mu.Unlock()

	l.set(uuid, definition, powered)

	return nil
}

// TestWhatThisProcessMarksAndStartsIsNotReadAgain holds that nobody waits for a machine that is being started.
func TestWhatThisProcessMarksAndStartsIsNotReadAgain(t *testing.T) {
	conn := &lively{machines: map[string]string{"b": "1"}}
	host := over(newCounter(conn))

	if err := host.Define(t.Context(), definedAs(t, "first")); err != nil {
		t.Fatal(err)
	}

	definitions(t, host.DomainsNow)
	conn.questions()

	for step, test := range []struct {
		what string
		do   func() error
		want string
		asks []string
	}{
		{"this run marks it", func() error { return host.SetMetadata(t.Context(), "a", mark(t, "second"), "", "") }, definedAs(t, "second"), nil},
		{"this run starts it", func() error { return host.Start(t.Context(), "a") }, definedAs(t, "second"), nil},
		{"it goes on", func() error { host.heard(powered, "a"); return nil }, definedAs(t, "second"), nil},
		{"this run marks it as it runs", func() error { return host.SetMetadata(t.Context(), "a", mark(t, "third"), "", "") }, definedAs(t, "third"), nil},
		{"it stops", func() error { host.heard(stopped, "a"); return nil }, definedAs(t, "third"), []string{"a"}},
		{"somebody else starts it", func() error { host.heard(powered, "a"); return nil }, definedAs(t, "third"), []string{"a"}},
		{"somebody else marks it", func() error { conn.set("a", definedAs(t, "fourth"), marked); return nil }, definedAs(t, "fourth"), []string{"a"}},
	} {
		if err := test.do(); err != nil {
			t.Errorf("%d, %s: %v", step, test.what, err)
		}

		if diff := cmp.Diff(map[string]string{"a": test.want, "b": "1"}, definitions(t, host.DomainsNow)); diff != "" {
			t.Errorf("%d, %s (-want +got):\n%s", step, test.what, diff)
		}

		if diff := cmp.Diff(test.asks, conn.questions()); diff != "" {
			t.Errorf("%d, %s: the host was asked (-want +got):\n%s", step, test.what, diff)
		}
	}

	if err := host.Start(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}

	if _, err := host.Domain(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff([]string{"a"}, conn.questions()); diff != "" {
		t.Errorf("Whoever wants to know whether it runs asked (-want +got):\n%s", diff)
	}
}

// TestMarkOfAnotherRunIsNotTakenForOurs holds that of two marks at the same time the one that stands is seen.
func TestMarkOfAnotherRunIsNotTakenForOurs(t *testing.T) {
	for _, last := range []string{"ours", "theirs"} {
		synctest.Test(t, func(t *testing.T) {
			conn := &lively{machines: map[string]string{"b": "1"}}
			host := over(newCounter(conn))

			if err := host.Define(t.Context(), definedAs(t, "first")); err != nil {
				t.Fatal(err)
			}

			definitions(t, host.DomainsNow)

			conn.mu.Lock()
			conn.silent = true
			conn.mu.Unlock()

			written := make(chan error, 1)
			go func() { written <- host.SetMetadata(t.Context(), "a", mark(t, "ours"), "", "") }()

			synctest.Wait()

			conn.mu.Lock()
			conn.machines["a"] = definedAs(t, last)
			conn.mu.Unlock()

			host.heard(marked, "a")
			host.heard(marked, "a")

			if err := <-written; err != nil {
				t.Error(err)
			}

			if got, want := definitions(t, host.DomainsNow)["a"], definedAs(t, last); got != want {
				t.Errorf("The machine is known as %s, and is %s", got, want)
			}
		})
	}
}

// gated is a connection that tells of a machine when it may.
type gated struct {
	*lively

	open chan struct{}
}

func (g gated) domain(uuid string) (Domain, error) {
	<-g.open

	return g.lively.domain(uuid)
}

func TestThoseWhoLookAtTheSameTimeShareWhatTheyRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := gated{&lively{machines: map[string]string{"a": "1"}}, make(chan struct{})}
		host := over(newCounter(conn))

		if err := host.Define(t.Context(), xml("b")); err != nil {
			t.Fatal(err)
		}

		definitions(t, host.DomainsNow)
		conn.set("a", "2", marked)
		conn.questions()

		var looking sync.WaitGroup

		for range 5 {
			looking.Go(func() {
				if got := definitions(t, host.DomainsNow)["a"]; got != "2" {
					t.Errorf("The machine is known as %s", got)
				}
			})
		}

		synctest.Wait()
		close(conn.open)
		looking.Wait()

		if diff := cmp.Diff([]string{"a"}, conn.questions()); diff != "" {
			t.Errorf("The host was asked (-want +got):\n%s", diff)
		}
	})
}
