package testbed

import (
	"context"
	"sync"
	"testing"
)

// For opens a bed for a test and closes it when the test has ended. Its progress goes to the test's log.
func For(t testing.TB) *Bed {
	t.Helper()
	bed, err := Open(t.Context(), Options{Log: t.Output()})
	if err != nil {
		t.Fatalf("Unable to open a test bed: %v", err)
	}
	t.Cleanup(func() {
		if err := bed.Close(); err != nil {
			t.Errorf("Unable to close the test bed: %v", err)
		}
	})
	return bed
}

// Hosts opens a bed for a test and starts hosts with the machine's real topology in it, all at once. They are returned
// in the order of their names; Host.Bed leads to the bed.
func Hosts(t testing.TB, names ...string) []*Host {
	t.Helper()
	bed := For(t)
	hosts := make([]*Host, len(names))
	failures := make([]error, len(names))
	var starting sync.WaitGroup
	for i, name := range names {
		starting.Go(func() { hosts[i], failures[i] = bed.StartHost(t.Context(), HostOptions{Name: name}) })
	}
	starting.Wait()
	for _, err := range failures {
		if err != nil {
			t.Fatalf("Unable to start the hosts of the test: %v", err)
		}
	}
	return hosts
}

// DomainTypeFor is DomainType for a test.
func DomainTypeFor(t testing.TB) string {
	t.Helper()
	return must(t, DomainType)
}

// ImageFor is Image for a test.
func ImageFor(t testing.TB) string {
	t.Helper()
	return must(t, Image)
}

func must(t testing.TB, find func(context.Context) (string, error)) string {
	t.Helper()
	found, err := find(t.Context())
	if err != nil {
		t.Fatalf("Unable to prepare the test: %v", err)
	}
	return found
}
