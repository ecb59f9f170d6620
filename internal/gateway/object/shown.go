package object

import (
	"context"
	"fmt"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Duration is what an attribute says, 0 if it says nothing.
func Duration(value tf.Notation) time.Duration {
	if value.IsNull() || value.IsUnknown() {
		return 0
	}

	return value.Duration()
}

// Same is a duration, in the notation that it had before if that means the same.
func Same(before tf.Notation, now time.Duration) tf.Notation {
	if value := tf.Duration(now); !before.Means(value) {
		return value
	}

	return before
}

// Shown is a duration that a gateway has. It is left out if it is the default, as it is where the user left it out, and
// where the gateway has none (0).
func Shown(before tf.Notation, now, standard time.Duration) tf.Notation {
	if now == 0 || before.IsNull() && now == standard {
		return tf.NullDuration()
	}

	return Same(before, now)
}

// Text is an attribute that is left out if it says nothing.
func Text(value string) types.String {
	if value == "" {
		return types.StringNull()
	}

	return types.StringValue(value)
}

// Between accepts durations from a least to a most.
func Between(least, most time.Duration) validator.String { return between{least, most} }

type between struct{ least, most time.Duration }

func (b between) Description(context.Context) string {
	return fmt.Sprintf("must be from %s to %s", b.least, b.most)
}

func (b between) MarkdownDescription(ctx context.Context) string { return b.Description(ctx) }

func (b between) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	duration, err := time.ParseDuration(req.ConfigValue.ValueString())
	if err == nil && (duration < b.least || duration > b.most || duration%time.Millisecond != 0) {
		resp.Diagnostics.AddAttributeError(req.Path, "Duration out of range",
			fmt.Sprintf("%s is not from %s to %s in whole milliseconds. Choose one that is.", duration, b.least, b.most))
	}
}
