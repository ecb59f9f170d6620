package traefik

import (
	"maps"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
)

// maxChanges is the most that Consul carries out in one transaction.
const maxChanges = 128

// transaction replaces the owned keys by the wanted ones. Every change holds only if its key is still as stored, the
// unchanged ones too: otherwise two states could mix their versions of one object.
func transaction(stored map[string]catalog.Key, prefix string, owns func(path string) bool, wanted map[string]string) []catalog.KeyChange {
	var changes []catalog.KeyChange

	for _, path := range slices.Sorted(maps.Keys(stored)) {
		relative := strings.TrimPrefix(path, prefix)
		if _, keep := wanted[relative]; owns(strings.ToLower(relative)) && !keep {
			index := stored[path].Index
			changes = append(changes, catalog.KeyChange{Path: path, Delete: true, Index: &index})
		}
	}

	for _, relative := range slices.Sorted(maps.Keys(wanted)) {
		index := stored[prefix+relative].Index // 0, for a key that must not exist, if there is none
		changes = append(changes, catalog.KeyChange{Path: prefix + relative, Value: wanted[relative], Index: &index})
	}

	return changes
}

// relative returns the owned keys by their path below the prefix, in lower case: Traefik reads "entrypoints" and
// "entryPoints" alike.
func relative(stored map[string]catalog.Key, prefix string, owns func(path string) bool) map[string]string {
	keys := map[string]string{}

	for path, key := range stored {
		if path := strings.ToLower(strings.TrimPrefix(path, prefix)); owns(path) {
			keys[path] = key.Value
		}
	}

	return keys
}
