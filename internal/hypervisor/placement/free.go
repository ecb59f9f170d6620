package placement

import (
	"context"
	"strconv"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/placement"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type free struct {
	Cores    map[string]int64 `tfsdk:"cores"`
	Largest  types.Int64      `tfsdk:"largest"`
	IfLost   types.Int64      `tfsdk:"if_lost"`
	Homeless []string         `tfsdk:"homeless"`
}

func freeAttribute() schema.MapNestedAttribute {
	return schema.MapNestedAttribute{
		MarkdownDescription: "What is left, by host.",
		Computed:            true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"cores":    computedMap("Cores that nobody uses any part of, by NUMA node.", types.Int64Type),
			"largest":  schema.Int64Attribute{MarkdownDescription: "vCPUs of the largest machine that still fits, whatever its memory.", Computed: true},
			"if_lost":  schema.Int64Attribute{MarkdownDescription: "Cores that the other hosts have free once they run the machines of this one, if it is lost.", Computed: true},
			"homeless": schema.ListAttribute{MarkdownDescription: "Machines of this host that would fit on no other if it was lost.", Computed: true, ElementType: types.StringType},
		}},
	}
}

func (a *answer) setFree(ctx context.Context, asked placement.Fleet, result placement.Result) diag.Diagnostics {
	hosts := map[string]free{}

	for name, left := range placement.Free(asked, result) {
		described := free{
			Cores: map[string]int64{}, Largest: types.Int64Value(int64(left.Largest)), IfLost: types.Int64Value(int64(left.IfLost)),
			Homeless: append([]string{}, left.Homeless...),
		}

		for node, cores := range left.Cores {
			described.Cores[strconv.Itoa(node)] = int64(cores)
		}

		hosts[name] = described
	}

	value, diags := types.MapValueFrom(ctx, elementOf(freeAttribute()), hosts)
	a.Free = value

	return diags
}
