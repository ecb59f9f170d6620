package volume

import (
	"crypto/sha512"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func TestContentIsHeldAgainstEitherKindOfChecksum(t *testing.T) {
	sum512 := sha512.Sum512([]byte("content"))
	read := newDigest()

	if _, err := read.Write([]byte("content")); err != nil {
		t.Fatal(err)
	}

	for text, want := range map[string]string{
		"sha256:" + hash("content"):                                 "",
		"sha512:" + hex.EncodeToString(sum512[:]):                   "",
		"sha256:" + hash("other"):                                   "was expected",
		"sha512:" + strings.Repeat("0", 128):                        "was expected",
		"sha512:" + hash("content"):                                 "is no checksum",
		"md5:d41d8cd98f00b204e9800998ecf8427e":                      "is no checksum",
		hash("content"):                                             "is no checksum",
		"sha256:" + strings.ToUpper(hash("content")) + "\nsha256:x": "is no checksum",
	} {
		sum, err := parseChecksum(text)
		if err == nil {
			err = sum.check(read, "image")
		}

		if (err != nil) != (want != "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

var sourceType = map[string]attr.Type{"file": types.StringType, "url": types.StringType, "checksum": types.StringType}

func at(url, checksum types.String) types.Object {
	return types.ObjectValueMust(sourceType, map[string]attr.Value{"file": absent, "url": url, "checksum": checksum})
}

func TestDownloadIsPlannedFromItsChecksumAlone(t *testing.T) {
	long := str("sha512:" + strings.Repeat("ab", 64))
	old := config(func(p *planned) { p.Source, p.SHA256, p.Format = at(str("u"), long), str("cafe"), str("raw") })
	short := config(func(p *planned) {
		p.Source, p.SHA256, p.Format = at(str("u"), str("sha256:beef")), str("beef"), str("raw")
	})

	for name, test := range map[string]struct {
		checksum     types.String
		state        *planned
		hash, format types.String
	}{
		"new, by sha256":          {str("sha256:beef"), nil, str("beef"), unknown},
		"new, by sha512":          {long, nil, unknown, unknown},
		"the same, by sha256":     {str("sha256:beef"), &short, str("beef"), str("raw")},
		"the same, by sha512":     {long, &old, str("cafe"), str("raw")},
		"another, by sha256":      {str("sha256:f00d"), &short, str("f00d"), unknown},
		"another, by sha512":      {str("sha512:00"), &old, unknown, unknown},
		"one that is not known":   {unknown, &old, unknown, unknown},
		"known by its other kind": {str("sha256:cafe"), &old, str("cafe"), str("raw")},
	} {
		declared := config(func(p *planned) { p.Source = at(str("elsewhere"), test.checksum) })
		plan := declared

		plan.hash(declared, test.state, nil)
		plan.format(declared, test.state, nil, files)

		if !plan.SHA256.Equal(test.hash) || !plan.Format.Equal(test.format) {
			t.Errorf("%s: the hash is %v and the format %v, want %v and %v", name, plan.SHA256, plan.Format, test.hash, test.format)
		}
	}
}

func TestOnlyWhatMayBeNowhereElseIsSpared(t *testing.T) {
	empty := libvirt.Volume{Format: "qcow2", Capacity: 20 << 30, Allocation: 200 << 10}
	inUse := libvirt.Volume{Format: "qcow2", Capacity: 20 << 30, Allocation: 300 << 10}
	rawEmpty := libvirt.Volume{Format: "raw", Capacity: 20 << 30}
	rawInUse := libvirt.Volume{Format: "raw", Capacity: 20 << 30, Allocation: 128 << 10}

	yes, no := types.BoolValue(true), types.BoolValue(false)

	for name, test := range map[string]struct {
		model  model
		volume libvirt.Volume
		spared bool
	}{
		"empty":                           {model{}, empty, false},
		"empty and raw":                   {model{}, rawEmpty, false},
		"written":                         {model{}, inUse, true},
		"written and raw":                 {model{}, rawInUse, true},
		"written and released":            {model{Protected: no}, inUse, false},
		"an image":                        {model{Source: &source{}}, inUse, false},
		"an image that is told so":        {model{Source: &source{}, Protected: yes}, inUse, true},
		"an overlay":                      {model{Backing: str("alpha/default/base")}, inUse, false},
		"an overlay that is told so":      {model{Backing: str("alpha/default/base"), Protected: yes}, inUse, true},
		"an empty one that is told so":    {model{Protected: yes}, empty, false},
		"a volume group's, by what it is": {model{}, libvirt.Volume{Format: "raw", Capacity: 1 << 30, Allocation: 1 << 30}, true},
	} {
		if err := test.model.spared(test.volume); (err != nil) != test.spared {
			t.Errorf("%s: %v", name, err)
		}
	}
}
