package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestUnknownAddressIsRefusedAndUnknownURIIsNot(t *testing.T) {
	text := tftypes.String
	host := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"uri": text}}
	hosts := tftypes.Map{ElementType: host}
	consul := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"address": text}}
	block := func(uri, address any) tftypes.Value {
		return tftypes.NewValue(tftypes.Object{AttributeTypes: map[string]tftypes.Type{"hosts": hosts, "consul": consul}}, map[string]tftypes.Value{
			"hosts": tftypes.NewValue(hosts, map[string]tftypes.Value{
				"alpha": tftypes.NewValue(host, map[string]tftypes.Value{"uri": tftypes.NewValue(text, uri)}),
			}),
			"consul": tftypes.NewValue(consul, map[string]tftypes.Value{"address": tftypes.NewValue(text, address)}),
		})
	}

	if diags := refuseUnknown(block(tftypes.UnknownValue, "http://127.0.0.1:8500")); diags.HasError() {
		t.Errorf("An unknown URI is refused: %v", diags)
	}

	diags := refuseUnknown(block("qemu:///system", tftypes.UnknownValue))
	if len(diags) != 1 || !strings.Contains(diags[0].Detail(), "configured with consul.address, which is known only after an apply") {
		t.Errorf("An unknown address of Consul gives %v", diags)
	}
}
