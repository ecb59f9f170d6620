package volume

import (
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// TestWhatAVolumeStandsInDecidesWhatItDoesNotSay plans new volumes, and one that is there, which stays as it is.
func TestWhatAVolumeStandsInDecidesWhatItDoesNotSay(t *testing.T) {
	empty := config(func(p *planned) { p.Size, p.Allocation = tf.Size(1<<30), absent })
	ofImage := config(func(p *planned) { p.Source, p.Allocation = from(str("x")), absent })
	there := config(func(p *planned) { p.Format, p.Allocation, p.Size = str("qcow2"), str(thin), tf.Size(1<<30) })
	img := &image{Format: "raw", Capacity: 5 << 20, SHA256: "cafe"}

	for name, test := range map[string]struct {
		config             planned
		state              *planned
		in                 ground
		format, allocation types.String
		size               tf.Notation // none is left to the apply
	}{
		"empty, in files":             {empty, nil, files, str("qcow2"), str(thin), tf.Size(1 << 30)},
		"empty, in a volume group":    {empty, nil, devices, str("raw"), str(full), tf.Size(1 << 30)},
		"empty, in a pool to come":    {empty, nil, later, unknown, unknown, tf.Size(1 << 30)},
		"an image, in files":          {ofImage, nil, files, str("raw"), str(thin), tf.Size(5 << 20)},
		"an image, in a volume group": {ofImage, nil, devices, str("raw"), str(full), tf.NullSize()},
		"an image, in a pool to come": {ofImage, nil, later, str("raw"), unknown, tf.NullSize()},
		"one that is there":           {empty, &there, later, str("qcow2"), str(thin), tf.Size(1 << 30)},
	} {
		plan := test.config

		var (
			read  *image
			diags diag.Diagnostics
		)

		if !test.config.Source.IsNull() {
			read = img
		}

		plan.hash(test.config, test.state, read)
		plan.format(test.config, test.state, read, test.in)
		plan.allocation(test.config, test.state, test.in)
		plan.size(test.config, test.state, read, test.in, &diags)

		if diff := cmp.Diff([]types.String{test.format, test.allocation}, []types.String{plan.Format, plan.Allocation}); diff != "" || diags.HasError() {
			t.Errorf("%s: format and allocation (-want +got):\n%s%v", name, diff, diags)
		}

		if !plan.Size.Means(test.size) {
			t.Errorf("%s: the size is %v, want %v", name, plan.Size, test.size)
		}
	}
}

func TestWhatAVolumeGroupCannotHaveIsRefused(t *testing.T) {
	state := config(func(p *planned) { p.Format, p.Size, p.Path = str("raw"), tf.Size(1<<30), str("/dev/vg0/disk") })
	grown := state
	grown.Size = tf.Size(2 << 30)

	var diags diag.Diagnostics
	grown.size(grown, &state, nil, devices, &diags)

	if len(diags) != 1 || !strings.Contains(diags[0].Detail(), "lvextend -L 2147483648b /dev/vg0/disk") {
		t.Errorf("growing says %v", diags)
	}

	for want, declared := range map[string]planned{
		`Write format = "raw"`:      config(func(p *planned) { p.Format = str("qcow2") }),
		`Write allocation = "full"`: config(func(p *planned) { p.Allocation = str(thin) }),
		"are no overlays":           config(func(p *planned) { p.Backing = str("alpha/default/base") }),
		"":                          config(func(p *planned) { p.Format, p.Allocation = str("raw"), str(full) }),
	} {
		var diags diag.Diagnostics
		declared.checkGroup(declared, &diags)

		switch {
		case want == "" && diags.HasError():
			t.Errorf("what it can have is refused: %v", diags)
		case want != "" && (len(diags) != 1 || !strings.Contains(diags[0].Detail(), want)):
			t.Errorf("%v, want it to say %q", diags, want)
		}
	}
}
