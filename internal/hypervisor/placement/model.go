package placement

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type model struct {
	fleet

	MayMove   types.Bool   `tfsdk:"may_move"`
	Rebalance types.String `tfsdk:"rebalance"`

	answer
}

// fleet is what the resource and the function are both asked.
type fleet struct {
	Hosts       map[string]host        `tfsdk:"hosts"`
	HostOptions map[string]hostOptions `tfsdk:"host_options"`
	Machines    map[string]machine     `tfsdk:"machines"`
	Groups      map[string]group       `tfsdk:"groups"`
}

// answer is what both of them say.
type answer struct {
	Assignments types.Map    `tfsdk:"assignments"`
	Moves       types.List   `tfsdk:"moves"`
	Free        types.Map    `tfsdk:"free"`
	CoreMap     types.String `tfsdk:"core_map"`
	CoreMapSVG  types.String `tfsdk:"core_map_svg"`
}

type host struct {
	Nodes []node         `tfsdk:"nodes"`
	Pins  map[string]pin `tfsdk:"pins"`
}

type node struct {
	ID     types.Int64      `tfsdk:"id"`
	Memory tf.Notation      `tfsdk:"memory"`
	Cores  []tf.Notation    `tfsdk:"cores"`
	Pages  map[string]int64 `tfsdk:"pages"`
}

type pin struct {
	VCPUs    tf.Notation `tfsdk:"vcpus"`
	Emulator tf.Notation `tfsdk:"emulator"`
}

type hostOptions struct {
	ReservedCPUs   types.String `tfsdk:"reserved_cpus"`
	ReservedMemory tf.Notation  `tfsdk:"reserved_memory"`
	Maintenance    types.Bool   `tfsdk:"maintenance"`
}

type machine struct {
	VCPUs    types.Int64  `tfsdk:"vcpus"`
	Memory   tf.Notation  `tfsdk:"memory"`
	PageSize tf.Notation  `tfsdk:"page_size"`
	Threads  types.Bool   `tfsdk:"threads"`
	Group    types.String `tfsdk:"group"`
}

type group struct {
	Spread   types.String `tfsdk:"spread"`
	Together types.Bool   `tfsdk:"together"`
	Avoid    []string     `tfsdk:"avoid"`
	Survives types.String `tfsdk:"survives"`
}

// assignment is where a machine runs. hypervisor_vm takes it as its placement.
type assignment struct {
	Host       types.String           `tfsdk:"host"`
	Pins       []tf.Notation          `tfsdk:"pins"`
	Emulator   tf.Notation            `tfsdk:"emulator"`
	Memory     tf.Notation            `tfsdk:"memory"`
	PageSize   tf.Notation            `tfsdk:"page_size"`
	Nodes      []int64                `tfsdk:"nodes"`
	NodeMemory map[string]tf.Notation `tfsdk:"node_memory"`
	NodePages  map[string]int64       `tfsdk:"node_pages"`
}

type move struct {
	Machine types.String `tfsdk:"machine"`
	From    types.String `tfsdk:"from"`
	To      types.String `tfsdk:"to"`
	Reason  types.String `tfsdk:"reason"`
}

// held are the assignments that a state has; none if there is no state.
func (m model) held(ctx context.Context) (map[string]assignment, diag.Diagnostics) {
	var held map[string]assignment

	if m.Assignments.IsNull() {
		return nil, nil
	}

	diags := m.Assignments.ElementsAs(ctx, &held, false)

	return held, diags
}
