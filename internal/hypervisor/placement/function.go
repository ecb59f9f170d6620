package placement

import (
	"context"
	"errors"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/placement"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

const functionDescription = `Answers where machines would run, without making anything: what ` + "`hypervisor_placement`" + ` would decide.

It takes one object with the resource's ` + "`hosts`, `host_options`, `machines`, `groups` and `may_move`" + `, and ` + "`held`" + `: the assignments that
machines have today, such as those of a placement, which stay unless they must not. Without ` + "`held`" + ` the fleet is placed as if it was new.

It returns the resource's ` + "`assignments`, `moves`, `free`, `core_map` and `core_map_svg`, and `error`" + `: null, or why there is no placement, in
which case the others are null. That no machine fits is an answer, not a failure of the plan.`

type placeFunction struct{}

// NewFunction makes the function place.
func NewFunction() function.Function { return placeFunction{} }

func (placeFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "place"
}

func (placeFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary:             "Where machines would run",
		MarkdownDescription: functionDescription,
		Parameters: []function.Parameter{function.DynamicParameter{
			Name:                "fleet",
			MarkdownDescription: "An object with `hosts`, `machines` and, if needed, `host_options`, `groups`, `may_move` and `held`.",
		}},
		Return: function.ObjectReturn{AttributeTypes: answerTypes()},
	}
}

// question is the function's argument.
type question struct {
	fleet

	MayMove types.Bool            `tfsdk:"may_move"`
	Held    map[string]assignment `tfsdk:"held"`
}

// verdict is the function's answer.
type verdict struct {
	answer

	Error types.String `tfsdk:"error"`
}

func questionType() types.ObjectType {
	return types.ObjectType{AttrTypes: map[string]attr.Type{
		"hosts":        hostsAttribute().GetType(),
		"host_options": hostOptionsAttribute().GetType(),
		"machines":     machinesAttribute().GetType(),
		"groups":       groupsAttribute().GetType(),
		"may_move":     types.BoolType,
		"held":         assignmentsAttribute().GetType(),
	}}
}

func answerTypes() map[string]attr.Type {
	return map[string]attr.Type{
		"assignments":  assignmentsAttribute().GetType(),
		"moves":        movesAttribute().GetType(),
		"free":         freeAttribute().GetType(),
		"core_map":     types.StringType,
		"core_map_svg": types.StringType,
		"error":        types.StringType,
	}
}

func (placeFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var argument types.Dynamic
	if resp.Error = req.Arguments.Get(ctx, &argument); resp.Error != nil {
		return
	}

	asked, err := read(ctx, argument)
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, err.Error())

		return
	}

	answered, failure := asked.answer(ctx)
	if failure != nil {
		resp.Error = failure

		return
	}

	resp.Error = resp.Result.Set(ctx, answered)
}

// read decodes the argument as the resource's attributes would be.
func read(ctx context.Context, argument types.Dynamic) (question, error) {
	given, err := argument.UnderlyingValue().ToTerraformValue(ctx)
	if err != nil {
		return question{}, err
	}

	to := questionType()

	conformed, err := conform("fleet", given, to.TerraformType(ctx))
	if err != nil {
		return question{}, err
	}

	value, err := to.ValueFromTerraform(ctx, conformed)
	if err != nil {
		return question{}, err
	}

	if err := wellFormed(ctx, value); err != nil {
		return question{}, err
	}

	var asked question

	object, _ := value.(types.Object)
	for _, problem := range object.As(ctx, &asked, basetypes.ObjectAsOptions{}) {
		return question{}, errors.New(problem.Detail())
	}

	return asked, nil
}

func (q question) answer(ctx context.Context) (verdict, *function.FuncError) {
	asked, err := q.ask(q.Held, q.MayMove.ValueBool(), false)
	if err != nil {
		return verdict{}, function.NewArgumentFuncError(0, err.Error())
	}

	result, err := placement.Plan(asked)
	if err != nil {
		none := answer{
			Assignments: types.MapNull(elementOf(assignmentsAttribute())), Moves: types.ListNull(elementOf(movesAttribute())),
			Free: types.MapNull(elementOf(freeAttribute())),
		}

		return verdict{answer: none, Error: types.StringValue(strings.TrimSpace(err.Error()))}, nil
	}

	answered := verdict{Error: types.StringNull()}

	return answered, function.FuncErrorFromDiags(ctx, answered.set(ctx, q.fleet, asked, result))
}
