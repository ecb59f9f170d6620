package check

import (
	"context"
	"regexp"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

var metaKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// Meta are the validators of the meta data of services and nodes, which Consul limits (agent/structs, metaMaxKeyPairs and
// others) and one entry of which is ours.
func Meta() []validator.Map {
	return []validator.Map{
		mapvalidator.SizeAtMost(63),
		mapvalidator.KeysAre(stringvalidator.RegexMatches(metaKey, "must have at most 128 letters, digits, dashes and underscores"), notOurs{}),
		mapvalidator.ValueStringsAre(stringvalidator.UTF8LengthAtMost(512)),
	}
}

var plainAddress = regexp.MustCompile(`^[^/\s]+$`)

// Address are the validators of the address of a service or a node. Consul takes any text for one of the catalog, and an agent
// refuses those that stand for all of a machine's.
func Address() []validator.String {
	return []validator.String{
		stringvalidator.LengthAtLeast(1),
		stringvalidator.RegexMatches(plainAddress, "must be an IP address or a host name"),
		stringvalidator.NoneOf("0.0.0.0", "::", "[::]"),
	}
}

type notOurs struct{}

func (notOurs) Description(context.Context) string { return "must not be " + catalog.MarkKey }

func (n notOurs) MarkdownDescription(ctx context.Context) string { return n.Description(ctx) }

func (notOurs) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.ValueString() == catalog.MarkKey {
		resp.Diagnostics.AddAttributeError(req.Path, "Reserved meta data",
			"The provider writes its own mark under "+catalog.MarkKey+", by which it knows what it made. Choose another key.")
	}
}
