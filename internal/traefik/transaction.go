package traefik

import (
	"maps"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
)

// maxChanges is the most that Consul carries out in one transaction.
const maxChanges = 128

// transaction replaces an object's stored keys by the wanted ones, whose paths are below the root. Every change holds only
// if its key is still as stored, the unchanged ones too: otherwise two states could mix their versions of one object. If
// nothing differs, there is nothing to do.
func transaction(stored map[string]catalog.Key, root string, wanted map[string]string) []catalog.KeyChange {
	if same(stored, wanted) {
		return nil
	}

	var changes []catalog.KeyChange

	for _, path := range slices.Sorted(maps.Keys(stored)) {
		if _, keep := wanted[path]; !keep {
			index := stored[path].Index
			changes = append(changes, catalog.KeyChange{Path: root + path, Delete: true, Index: &index})
		}
	}

	for _, path := range slices.Sorted(maps.Keys(wanted)) {
		index := stored[path].Index // 0, for a key that must not exist, if there is none
		changes = append(changes, catalog.KeyChange{Path: root + path, Value: wanted[path], Index: &index})
	}

	return changes
}
