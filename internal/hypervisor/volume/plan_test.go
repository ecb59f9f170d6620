package volume

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	str      = types.StringValue
	absent   = types.StringNull()
	unknown  = types.StringUnknown()
	fileType = map[string]attr.Type{"file": types.StringType}
	noSource = types.ObjectNull(fileType)
)

// config is a volume's configuration with all that must be there.
func config(change func(*planned)) planned {
	p := planned{
		Host: str("alpha"), Pool: str("default"), Name: str("disk"), Format: absent, Backing: absent, SHA256: absent,
		Size: tf.NullSize(), Source: noSource,
	}
	change(&p)

	return p
}

func from(path types.String) types.Object {
	return types.ObjectValueMust(fileType, map[string]attr.Value{"file": path})
}

func TestFormatAndHashArePlannedFromWhatIsKnown(t *testing.T) {
	img := &image{Format: "qcow2", Capacity: 1 << 30, SHA256: "cafe"}
	old := config(func(p *planned) { p.Format = str("raw") })

	for name, test := range map[string]struct {
		config       planned
		state        *planned
		img          *image
		format, hash types.String
	}{
		"an empty volume":          {config(func(*planned) {}), nil, nil, str("qcow2"), absent},
		"an empty one that exists": {config(func(*planned) {}), &old, nil, str("raw"), absent},
		"of an image":              {config(func(p *planned) { p.Source = from(str("x")) }), nil, img, str("qcow2"), str("cafe")},
		"of another image":         {config(func(p *planned) { p.Source = from(str("x")) }), &old, img, str("qcow2"), str("cafe")},
		"of an image to come":      {config(func(p *planned) { p.Source = from(unknown) }), &old, nil, unknown, unknown},
		"as it is told": {
			config(func(p *planned) { p.Source, p.Format, p.SHA256 = from(str("x")), str("raw"), str("beef") }), nil, img,
			str("raw"), str("beef"),
		},
		"as it will be told": {
			config(func(p *planned) { p.Source, p.Format, p.SHA256 = from(str("x")), unknown, unknown }), nil, img,
			unknown, unknown,
		},
	} {
		plan := test.config
		plan.hash(test.config, test.state, test.img)
		plan.format(test.config, test.state, test.img, files)

		if diff := cmp.Diff([]types.String{test.format, test.hash}, []types.String{plan.Format, plan.SHA256}); diff != "" {
			t.Errorf("%s: format and hash (-want +got):\n%s", name, diff)
		}
	}
}

func TestSizeIsPlannedAndNeverShrinks(t *testing.T) {
	img := &image{Format: "qcow2", Capacity: 2 << 30}
	sized := func(size tf.Notation) planned { return config(func(p *planned) { p.Size = size }) }
	state := sized(tf.Size(4 << 30))
	moved := sized(tf.Size(4 << 30))
	moved.Pool = str("fast")

	for name, test := range map[string]struct {
		config planned
		state  *planned
		img    *image
		size   tf.Notation
		fault  string
	}{
		"of a new volume":             {sized(tf.Size(1 << 30)), nil, nil, tf.Size(1 << 30), ""},
		"of the image":                {sized(tf.NullSize()), nil, img, tf.Size(2 << 30), ""},
		"of the volume that is there": {sized(tf.NullSize()), &state, img, tf.Size(4 << 30), ""},
		"of the image, made anew":     {sized(tf.NullSize()), &moved, img, tf.Size(2 << 30), ""},
		"of the volume below":         {sized(tf.NullSize()), nil, nil, tf.NullSize(), ""},
		"more than the image's":       {sized(tf.Size(3 << 30)), nil, img, tf.Size(3 << 30), ""},
		"as much as the image's":      {sized(tf.Size(2 << 30)), nil, img, tf.Size(2 << 30), ""},
		"less than the image's":       {sized(tf.Size(1 << 30)), nil, img, tf.Size(1 << 30), "The image's disk has 2GiB, and size is 1GiB"},
		"more than it was":            {sized(tf.Size(5 << 30)), &state, nil, tf.Size(5 << 30), ""},
		"less than it was":            {sized(tf.Size(3 << 30)), &state, nil, tf.Size(3 << 30), "It has 4GiB, and size is 3GiB. A volume only grows"},
		"less than one it replaces":   {sized(tf.Size(3 << 30)), &moved, nil, tf.Size(3 << 30), ""},
	} {
		plan := test.config

		var diags diag.Diagnostics
		plan.size(test.config, test.state, test.img, files, &diags)

		if !plan.Size.Means(test.size) {
			t.Errorf("%s: %v, want %v", name, plan.Size, test.size)
		}

		switch {
		case test.fault == "" && diags.HasError():
			t.Errorf("%s: %v", name, diags)
		case test.fault != "" && (len(diags) != 1 || !strings.Contains(diags[0].Detail(), test.fault)):
			t.Errorf("%s: %v, want %q", name, diags, test.fault)
		}
	}
}

func TestVolumeIsReplacedForWhatCannotBeChanged(t *testing.T) {
	state := config(func(p *planned) { p.Format, p.Size = str("qcow2"), tf.Size(1<<30) })

	for want, change := range map[string]func(*planned){
		"":        func(p *planned) { p.Size = tf.Size(2 << 30) },
		"pool":    func(p *planned) { p.Pool = unknown },
		"name":    func(p *planned) { p.Name = str("other") },
		"format":  func(p *planned) { p.Format = str("raw") },
		"backing": func(p *planned) { p.Backing = str("alpha/default/base") },
		"sha256":  func(p *planned) { p.SHA256 = str("cafe") },
		"name,pool": func(p *planned) {
			p.Name, p.Pool = str("other"), str("fast")
		},
	} {
		plan := state
		change(&plan)

		var changed []string
		for _, path := range plan.replacing(state) {
			changed = append(changed, path.String())
		}

		slices.Sort(changed)

		if got := strings.Join(changed, ","); got != want {
			t.Errorf("the volume is replaced for %q, want %q", got, want)
		}
	}
}

// TestVolumeMovesToAnotherHostWithWhatItStandsOn tells apart what is the same volume on another host.
func TestVolumeMovesToAnotherHostWithWhatItStandsOn(t *testing.T) {
	state := config(func(p *planned) { p.Backing = str("alpha/default/base") })

	for _, test := range []struct {
		host, backing types.String
		replaced      bool
	}{
		{str("beta"), str("beta/default/base"), false},
		{unknown, unknown, false},
		{str("beta"), str("beta/default/other"), true},
		{str("beta"), str("beta/fast/base"), true},
		{str("beta"), types.StringNull(), true},
		{str("alpha"), unknown, true},
		{str("alpha"), str("beta/default/base"), true},
	} {
		plan := state
		plan.Host, plan.Backing = test.host, test.backing

		if got := len(plan.replacing(state)) > 0; got != test.replaced {
			t.Errorf("on host %s over %s it is replaced: %t, want %t", test.host, test.backing, got, test.replaced)
		}
	}

	empty := config(func(*planned) {})
	plan := empty
	plan.Host = str("beta")

	if changed := plan.replacing(empty); len(changed) > 0 {
		t.Errorf("an empty volume on another host is replaced for %v", changed)
	}
}

func TestOverlayStandsOnAVolumeOfItsHost(t *testing.T) {
	for backing, want := range map[string]string{
		"alpha/default/base": "",
		"beta/default/base":  `The volume below, beta/default/base, is on host "beta", and this one is on host "alpha"`,
		"base":               `"base" is not the id of a volume`,
	} {
		var diags diag.Diagnostics
		config(func(p *planned) { p.Backing = str(backing) }).checkBacking(&diags)

		switch {
		case want == "" && diags.HasError():
			t.Errorf("on %s: %v", backing, diags)
		case want != "" && (len(diags) != 1 || !strings.Contains(diags[0].Detail(), want)):
			t.Errorf("on %s: %v, want %q", backing, diags, want)
		}
	}

	var diags diag.Diagnostics
	config(func(p *planned) { p.Backing, p.Host = str("beta/default/base"), unknown }).checkBacking(&diags)

	if diags.HasError() {
		t.Errorf("on a host that is not known yet: %v", diags)
	}
}

func TestImageOfTheConfigurationIsReadOnceItIsKnown(t *testing.T) {
	path := file(t, "content")

	for name, test := range map[string]struct {
		config planned
		known  bool
		fault  string
	}{
		"none":              {config(func(*planned) {}), false, ""},
		"unknown object":    {config(func(p *planned) { p.Source = types.ObjectUnknown(fileType) }), false, ""},
		"unknown file":      {config(func(p *planned) { p.Source = from(unknown) }), false, ""},
		"file":              {config(func(p *planned) { p.Source = from(str(path)) }), true, ""},
		"file and its hash": {config(func(p *planned) { p.Source, p.SHA256 = from(str(path)), str(hash("content")) }), true, ""},
		"hash to come":      {config(func(p *planned) { p.Source, p.SHA256 = from(str(path)), unknown }), true, ""},
		"another hash":      {config(func(p *planned) { p.Source, p.SHA256 = from(str(path)), str(hash("other")) }), true, "was expected"},
		"no such file":      {config(func(p *planned) { p.Source = from(str(path + "x")) }), false, "no such file"},
	} {
		img, err := test.config.image()

		if (img != nil) != test.known && test.fault == "" {
			t.Errorf("%s: the image is %+v", name, img)
		}

		if (err != nil) != (test.fault != "") || (err != nil && !strings.Contains(err.Error(), test.fault)) {
			t.Errorf("%s: %v, want %q", name, err, test.fault)
		}
	}
}

func TestMovedImageIsNoReasonToReplaceAVolume(t *testing.T) {
	for _, test := range []struct {
		state, plan types.Object
		replaced    bool
	}{
		{noSource, noSource, false},
		{from(str("a")), from(str("b")), false},
		{noSource, from(str("a")), true},
		{from(str("a")), noSource, true},
	} {
		var resp objectplanmodifier.RequiresReplaceIfFuncResponse
		cameOrWent(t.Context(), planmodifier.ObjectRequest{StateValue: test.state, PlanValue: test.plan}, &resp)

		if resp.RequiresReplace != test.replaced {
			t.Errorf("from %v to %v the volume is replaced: %t", test.state, test.plan, resp.RequiresReplace)
		}
	}
}

func TestModelTakesOverWhatTheHostSays(t *testing.T) {
	onHost := libvirt.Volume{Pool: "default", Name: "disk", Path: "/images/disk", Format: "qcow2", Capacity: 1 << 30}
	m := model{Host: str("alpha"), Pool: str("default"), Name: str("disk"), Size: size(t, "1024MiB"), SHA256: unknown}

	m.set(onHost, nil)

	want := model{
		ID: str("alpha/default/disk"), Host: str("alpha"), Pool: str("default"), Name: str("disk"), Format: str("qcow2"),
		Size: size(t, "1024MiB"), Path: str("/images/disk"), Backing: absent, SHA256: absent, Allocation: str("thin"),
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("the model (-want +got):\n%s", diff)
	}

	onHost.Capacity = 3 << 29
	m.SHA256 = str("cafe")
	m.set(onHost, &libvirt.Volume{Pool: "fast", Name: "base"})

	want.Size, want.Backing, want.SHA256 = tf.Size(3<<29), str("alpha/fast/base"), str("cafe")
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("the model of a grown overlay (-want +got):\n%s", diff)
	}
}

func size(t *testing.T, text string) tf.Notation {
	t.Helper()

	value, diags := tf.SizeType().ValueFromString(context.Background(), str(text))
	if diags.HasError() {
		t.Fatal(diags)
	}

	return value.(tf.Notation)
}
