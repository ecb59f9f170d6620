package tf

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

// OptionalText is the text, or null if it is empty.
func OptionalText(text string) types.String {
	if text == "" {
		return types.StringNull()
	}

	return types.StringValue(text)
}

// OptionalNumber is the number, or null if it is 0.
func OptionalNumber(number int) types.Int64 {
	if number == 0 {
		return types.Int64Null()
	}

	return types.Int64Value(int64(number))
}

// OptionalDuration is the duration, or null if it is 0.
func OptionalDuration(duration time.Duration) Notation {
	if duration == 0 {
		return NullDuration()
	}

	return Duration(duration)
}

// Given reports whether the text is known and not null.
func Given(text types.String) bool { return !text.IsNull() && !text.IsUnknown() }
