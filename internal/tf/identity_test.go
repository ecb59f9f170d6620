package tf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIDIsTheIdentityJoinedBySlashes(t *testing.T) {
	identity := Identity{{Name: "host"}, {Name: "pool"}, {Name: "name"}}

	for id, want := range map[string][]string{
		"alpha/default/disk":   {"alpha", "default", "disk"},
		"alpha/default/a/disk": {"alpha", "default", "a/disk"},
		"alpha/default":        nil,
		"alpha//disk":          nil,
		"alpha/default/":       nil,
		"":                     nil,
	} {
		got, err := identity.Split(id)

		switch {
		case want == nil && (err == nil || !strings.Contains(err.Error(), `Write it as "host/pool/name"`)):
			t.Errorf("%q is split into %v, %v", id, got, err)
		case want != nil && !cmp.Equal(want, got):
			t.Errorf("%q is split into %v (%v), want %v", id, got, err, want)
		}
	}
}
