// Package consumer is the gateway_consumer resource type.
package consumer

import (
	"context"
	"slices"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway/object"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// New makes the resource type.
func New() resource.Resource { return object.New[model](kind()) }

// NewList makes the list of the gateway's consumers.
func NewList() list.ListResource { return object.NewList[model](kind()) }

func kind() object.Kind[gateway.Consumer] {
	return object.Kind[gateway.Consumer]{
		Type: "gateway_consumer", Thing: "gateway consumer", Schema: consumerSchema,
		Check: func(engine gateway.Engine, consumer gateway.Consumer) []gateway.Unsupported {
			return engine.CheckConsumer(consumer)
		},
		Put: func(ctx context.Context, engine gateway.Engine, consumer gateway.Consumer) error {
			return engine.PutConsumer(ctx, consumer)
		},
		Get: func(ctx context.Context, engine gateway.Engine, name string) (gateway.Consumer, error) {
			return engine.Consumer(ctx, name)
		},
		List: func(ctx context.Context, engine gateway.Engine) ([]gateway.Consumer, error) {
			return engine.Consumers(ctx)
		},
		Delete: func(ctx context.Context, engine gateway.Engine, of gateway.Record) error {
			return engine.DeleteConsumer(ctx, of)
		},
		Record: func(consumer *gateway.Consumer) *gateway.Record { return &consumer.Record },
		Same:   same,
		Plan:   plan,
	}
}

// same compares consumers but for the secrets, which a gateway does not tell. Each put of one that is only partly there
// does the rest.
func same(existing, wanted gateway.Consumer) bool {
	without := slices.Clone(wanted.Credentials)
	for i := range without {
		without[i].Secret = ""
	}

	return existing.CustomID == wanted.CustomID && slices.Equal(existing.Groups, slices.Sorted(slices.Values(wanted.Groups))) &&
		slices.Equal(existing.Credentials, without)
}

// plan checks what one credential needs of its attributes together.
func plan(ctx context.Context, _ gateway.Engine, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var given types.Map
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("jwt"), &given)...)

	for _, token := range given.Elements() {
		if token.IsUnknown() {
			return // it is checked when it is known
		}
	}

	if given.IsUnknown() || given.IsNull() || resp.Diagnostics.HasError() {
		return
	}

	tokens := map[string]jwtModel{}
	resp.Diagnostics.Append(given.ElementsAs(ctx, &tokens, false)...)
	resp.Diagnostics.Append(checkJWTs(tokens)...)
}
