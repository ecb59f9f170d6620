package plugin

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type settings = map[string]any

func TestOnlyWhatIsDeclaredIsHeldAgainstTheGateway(t *testing.T) {
	actual := settings{"minute": 5.0, "hour": nil, "redis": settings{"port": 6379.0, "host": nil}, "methods": []any{"GET", "PUT"}}

	for name, test := range map[string]struct {
		declared any
		want     bool
	}{
		"nothing":                          {settings{}, true},
		"a part":                           {settings{"minute": 5.0}, true},
		"a part of a part":                 {settings{"redis": settings{"port": 6379.0}}, true},
		"null where nothing is":            {settings{"hour": nil}, true},
		"null where something is":          {settings{"minute": nil}, false},
		"another number":                   {settings{"minute": 6.0}, false},
		"a text for a number":              {settings{"minute": "5"}, false},
		"a list that names one twice":      {settings{"methods": []any{"GET", "PUT", "GET"}}, true},
		"a shorter list":                   {settings{"methods": []any{"GET"}}, false},
		"a list in another order":          {settings{"methods": []any{"PUT", "GET"}}, false},
		"what the gateway does not know":   {settings{"bogus": 1.0}, false},
		"settings where there are none":    {settings{"minute": settings{"a": 1.0}}, false},
		"no settings where there are none": {settings{"missing": settings{}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := holds(test.declared, actual); got != test.want {
				t.Errorf("it holds: %t", got)
			}
		})
	}
}

func TestStateShowsWhatTheGatewayHasOfWhatIsDeclared(t *testing.T) {
	got := shown(settings{"minute": 5.0, "redis": settings{"port": 1.0}, "gone": "x"}, settings{"minute": 6.0, "hour": 7.0, "redis": settings{"port": 2.0, "host": "h"}})
	if difference := cmp.Diff(any(settings{"minute": 6.0, "redis": settings{"port": 2.0}, "gone": nil}), got); difference != "" {
		t.Error(difference)
	}
}

func TestImportTakesOverNeitherDefaultsNorSecrets(t *testing.T) {
	described := map[string]gateway.Setting{
		"minute": {}, "policy": {Default: "local"}, "limit_by": {Default: "consumer"}, "secret": {Secret: true}, "list": {Default: []any{"a"}},
		"redis": {Fields: map[string]gateway.Setting{"port": {Default: 6379.0}, "password": {Secret: true}, "host": {}}},
		"quiet": {Fields: map[string]gateway.Setting{"size": {Default: 1.0}}},
	}
	actual := settings{
		"minute": 5.0, "policy": "local", "limit_by": "ip", "secret": "hunter2", "undescribed": "hunter2", "list": []any{"a"}, "nothing": nil,
		"redis": settings{"port": 6379.0, "password": "hunter2", "host": "h"}, "quiet": settings{"size": 1.0},
	}

	want := settings{"minute": 5.0, "limit_by": "ip", "redis": settings{"host": "h"}}
	if difference := cmp.Diff(want, significant(actual, described)); difference != "" {
		t.Error(difference)
	}
	if got := significant(actual, nil); len(got) > 0 {
		t.Errorf("of a plugin that nobody describes it takes over %v", got)
	}
}

func TestSecretSettingsLieOverTheOthers(t *testing.T) {
	got := merge(settings{"a": 1.0, "redis": settings{"host": "h", "password": "x"}}, settings{"redis": settings{"password": "y"}})
	if difference := cmp.Diff(any(settings{"a": 1.0, "redis": settings{"host": "h", "password": "y"}}), got); difference != "" {
		t.Error(difference)
	}
}

func TestUnknownPartsLeaveTheOthersKnown(t *testing.T) {
	value := types.DynamicValue(types.ObjectValueMust(
		map[string]attr.Type{"known": types.NumberType, "later": types.StringType, "list": types.TupleType{ElemTypes: []attr.Type{types.StringType, types.StringType}}},
		map[string]attr.Value{
			"known": dynamic(t.Context(), 5.0), "later": types.StringUnknown(),
			"list": types.TupleValueMust([]attr.Type{types.StringType, types.StringType}, []attr.Value{types.StringValue("a"), types.StringUnknown()}),
		},
	))

	got, complete := plain(value)
	if difference := cmp.Diff(any(settings{"known": 5.0, "list": []any{"a"}}), got); difference != "" || complete {
		t.Errorf("complete %t: %s", complete, difference)
	}
}

func TestValuesComeBackAsTheyWent(t *testing.T) {
	want := any(settings{"text": "a", "number": 0.5, "truth": true, "nothing": nil, "list": []any{"a", settings{"b": 1.0}}})

	got, complete := plain(dynamic(t.Context(), want))
	if difference := cmp.Diff(want, got); difference != "" || !complete {
		t.Errorf("complete %t: %s", complete, difference)
	}
}
