package placement

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/placement"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// decide fills in the answer. held is where machines are today.
func (m *model) decide(ctx context.Context, held map[string]assignment, rebalance bool) diag.Diagnostics {
	asked, err := m.ask(held, m.MayMove.ValueBool(), rebalance)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to place the machines", tf.Sentence(err))}
	}

	result, err := placement.Plan(asked)
	if err != nil {
		return refusal(err)
	}

	return m.set(ctx, m.fleet, asked, result)
}

// ask is the planner's input.
func (f fleet) ask(held map[string]assignment, mayMove, rebalance bool) (placement.Fleet, error) {
	if err := f.check(); err != nil {
		return placement.Fleet{}, err
	}

	asked, err := f.fleet()
	asked.MayMove, asked.Rebalance, asked.Held = mayMove, rebalance, make(map[string]placement.Assignment, len(held))

	for name, assignment := range held {
		if _, stays := f.Machines[name]; stays {
			asked.Held[name] = assignment.assignment()
		}
	}

	return asked, err
}

// refusal makes a diagnostic of each thing that has no place.
func refusal(err error) diag.Diagnostics {
	var refused *placement.Refusal
	if !errors.As(err, &refused) {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to place the machines", tf.Sentence(err))}
	}

	var diags diag.Diagnostics
	for _, one := range refused.Refused {
		diags.AddError(one.Summary(), one.Detail())
	}

	return diags
}

// set takes over what the planner says.
func (a *answer) set(ctx context.Context, f fleet, asked placement.Fleet, result placement.Result) (diags diag.Diagnostics) {
	assignments := make(map[string]assignment, len(result.Assignments))
	for name, assigned := range result.Assignments {
		assignments[name] = newAssignment(assigned, f.Machines[name])
	}

	moves := make([]move, len(result.Moves))
	for i, moved := range result.Moves {
		moves[i] = move{
			Machine: types.StringValue(moved.Machine), Reason: types.StringValue(moved.Reason),
			From: types.StringValue(place(moved.From)), To: types.StringValue(place(moved.To)),
		}
	}

	var problems diag.Diagnostics

	a.Assignments, problems = types.MapValueFrom(ctx, elementOf(assignmentsAttribute()), assignments)
	diags.Append(problems...)

	a.Moves, problems = types.ListValueFrom(ctx, elementOf(movesAttribute()), moves)
	diags.Append(problems...)

	a.CoreMap = types.StringValue(placement.CoreMap(asked, result))
	a.CoreMapSVG = types.StringValue(placement.CoreMapSVG(asked, result))

	return append(diags, a.setFree(ctx, asked, result)...)
}

// elementOf is the type of a nested attribute's elements.
func elementOf(attribute interface{ GetType() attr.Type }) attr.Type {
	nested, _ := attribute.GetType().(attr.TypeWithElementType)

	return nested.ElementType()
}

func newAssignment(assigned placement.Assignment, asked machine) assignment {
	described := assignment{
		Host: types.StringValue(assigned.Host), Emulator: tf.NullCPUSet(), Memory: asked.Memory, PageSize: asked.PageSize,
	}

	if !assigned.Emulator.IsEmpty() {
		described.Emulator = tf.CPUSet(assigned.Emulator)
	}

	for _, cpu := range assigned.Pins {
		described.Pins = append(described.Pins, tf.CPUSet(topology.NewCPUSet(cpu)))
	}

	for _, node := range assigned.Nodes {
		described.Nodes = append(described.Nodes, int64(node))
	}

	if len(assigned.Memory) > 0 {
		described.NodeMemory = make(map[string]tf.Notation, len(assigned.Memory))
	}

	for node, bytes := range assigned.Memory {
		described.NodeMemory[strconv.Itoa(node)] = tf.Size(bytes)
	}

	if len(assigned.Pages) > 0 {
		described.NodePages = make(map[string]int64, len(assigned.Pages))
	}

	for node, count := range assigned.Pages {
		described.NodePages[strconv.Itoa(node)] = int64(count)
	}

	return described
}

// place writes where a machine is: its host and CPUs, in the order of its vCPUs.
func place(assigned placement.Assignment) string {
	cpus := make([]string, len(assigned.Pins))
	for i, cpu := range assigned.Pins {
		cpus[i] = strconv.Itoa(cpu)
	}

	return assigned.Host + ":" + strings.Join(cpus, ",")
}
