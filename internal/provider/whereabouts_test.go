package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestNestedAttributeIsNamedBesideItsError(t *testing.T) {
	root := tftypes.NewAttributePath()
	network := root.WithAttributeName("cloud_init").WithAttributeName("network").WithElementKeyString("lan")

	for name, test := range map[string]struct {
		at           *tftypes.AttributePath
		detail, want string
	}{
		"none":            {nil, "It failed.", "It failed."},
		"on a line":       {root.WithAttributeName("memory"), "It is no size.", "It is no size."},
		"nested":          {network.WithAttributeName("addresses").WithElementKeyInt(1), "It is no address.", "It is no address.\n\nThe attribute is cloud_init.network[\"lan\"].addresses[1]."},
		"of a set":        {root.WithAttributeName("drain").WithAttributeName("services").WithElementKeyValue(tftypes.NewValue(tftypes.String, "")), "It is empty.", "It is empty.\n\nThe attribute is drain.services."},
		"named already":   {network.WithAttributeName("gateway"), "Attribute cloud_init.network[\"lan\"].gateway is missing.", "Attribute cloud_init.network[\"lan\"].gateway is missing."},
		"of the provider": {root.WithAttributeName("consul").WithAttributeName("ca_file"), "There is no such file.", "There is no such file.\n\nThe attribute is consul.ca_file."},
	} {
		diagnostic := &tfprotov6.Diagnostic{Attribute: test.at, Detail: test.detail}
		if sayWhere([]*tfprotov6.Diagnostic{diagnostic}); diagnostic.Detail != test.want {
			t.Errorf("%s: %q, want %q", name, diagnostic.Detail, test.want)
		}
	}
}
