package libvirt

import (
	"strings"
	"testing"
)

func TestVolumeIDsReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]VolumeRef{
		"alpha/default/root":   {Host: "alpha", Pool: "default", Name: "root"},
		"alpha/default/a/b c/": {Host: "alpha", Pool: "default", Name: "a/b c/"},
	} {
		ref, err := ParseVolumeRef(text)
		if err != nil || ref != want || ref.String() != text {
			t.Errorf("ParseVolumeRef(%q) = %+v, %v", text, ref, err)
		}
	}

	for _, text := range []string{"", "a", "a/b", "a/b/", "/b/c", "a//c", "//"} {
		if ref, err := ParseVolumeRef(text); err == nil || !strings.Contains(err.Error(), `"host/pool/name"`) {
			t.Errorf("ParseVolumeRef(%q) = %+v, %v", text, ref, err)
		}
	}
}
