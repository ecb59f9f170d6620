package catalog_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/google/go-cmp/cmp"
)

// flaky returns the address of a Consul that fails while the flag is set.
func flaky(t *testing.T, failing *bool) string {
	t.Helper()

	return proxy(t, func(w http.ResponseWriter, _ *http.Request) bool {
		if *failing {
			w.WriteHeader(http.StatusInternalServerError)
		}

		return *failing
	})
}

func write(t *testing.T, client *catalog.Client, changes ...catalog.KeyChange) {
	t.Helper()

	if _, err := client.WriteKeys(t.Context(), changes); err != nil {
		t.Fatalf("WriteKeys: %v", err)
	}
}

func keys(t *testing.T, client *catalog.Client, prefix string) map[string]catalog.Key {
	t.Helper()

	found, err := client.Keys(t.Context(), prefix)
	if err != nil {
		t.Fatalf("Keys: %v", err)
	}

	return found
}

func TestKeysAreReadAsWrittenAtTheIndexesThatTheWriteReturned(t *testing.T) {
	client := newClient(t, consulAddress)
	prefix := unique(t) + "/"

	if found := keys(t, client, prefix); len(found) != 0 {
		t.Fatalf("before the write: %v", found)
	}

	indexes, err := client.WriteKeys(t.Context(), []catalog.KeyChange{{Path: prefix + "a", Value: "1"}, {Path: prefix + "b", Value: ""}})
	if err != nil {
		t.Fatal(err)
	}

	want := map[string]catalog.Key{
		prefix + "a": {Path: prefix + "a", Value: "1", Index: indexes[prefix+"a"]},
		prefix + "b": {Path: prefix + "b", Value: "", Index: indexes[prefix+"b"]},
	}
	if diff := cmp.Diff(want, keys(t, client, prefix)); diff != "" || indexes[prefix+"a"] == 0 {
		t.Errorf("after the write, at the indexes %v (-want +got):\n%s", indexes, diff)
	}

	write(t, client, catalog.KeyChange{Path: prefix + "a", Delete: true}, catalog.KeyChange{Path: prefix + "b", Delete: true}, catalog.KeyChange{Path: prefix + "never", Delete: true})

	if found := keys(t, client, prefix); len(found) != 0 {
		t.Errorf("after the deletion: %v", found)
	}
}

func TestChangeOfAKeyThatMovedOnIsAConflictAndChangesNothing(t *testing.T) {
	client := newClient(t, consulAddress)
	prefix := unique(t) + "/"
	write(t, client, catalog.KeyChange{Path: prefix + "a", Value: "1"})

	seen := keys(t, client, prefix)[prefix+"a"].Index
	none := uint64(0)

	write(t, client, catalog.KeyChange{Path: prefix + "a", Value: "2"})

	for name, change := range map[string]catalog.KeyChange{
		"set":    {Path: prefix + "a", Value: "3", Index: &seen},
		"delete": {Path: prefix + "a", Delete: true, Index: &seen},
		"make":   {Path: prefix + "a", Value: "3", Index: &none},
	} {
		_, err := client.WriteKeys(t.Context(), []catalog.KeyChange{{Path: prefix + "b", Value: "x"}, change})
		if !errors.Is(err, catalog.ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", name, err)
		}
	}

	found := keys(t, client, prefix)
	if len(found) != 1 || found[prefix+"a"].Value != "2" {
		t.Errorf("after the refused transactions: %v, want the key as somebody else left it, and nothing beside", found)
	}

	write(t, client, catalog.KeyChange{Path: prefix + "a", Delete: true})
}

func TestChangeOfAKeyThatIsAsItWasSeenIsCarriedOut(t *testing.T) {
	client := newClient(t, consulAddress)
	path := unique(t)
	none := uint64(0)

	write(t, client, catalog.KeyChange{Path: path, Value: "1", Index: &none})

	seen := keys(t, client, path)[path].Index
	write(t, client, catalog.KeyChange{Path: path, Value: "2", Index: &seen})

	found := keys(t, client, path)[path]
	if found.Value != "2" {
		t.Errorf("the key is %q, want 2", found.Value)
	}

	write(t, client, catalog.KeyChange{Path: path, Delete: true, Index: &found.Index})
}

func TestTooManyKeysForOneTransactionAreRefused(t *testing.T) {
	changes := make([]catalog.KeyChange, 129)
	for i := range changes {
		changes[i] = catalog.KeyChange{Path: unique(t), Value: "x"}
	}

	if _, err := newClient(t, consulAddress).WriteKeys(t.Context(), changes); err == nil {
		t.Error("129 changes were accepted")
	}
}
