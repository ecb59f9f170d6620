package tf

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// Limits are how long the operations of a type may take if its user says nothing.
type Limits struct {
	Create, Read, Update, Delete time.Duration
	Plan                         time.Duration // of planning, importing and listing, which users cannot set
}

// Timeouts is the attribute with which users set other limits. Deadline applies them.
func Timeouts(ctx context.Context, standard Limits) schema.Attribute {
	describe := func(what string, limit time.Duration) string {
		return fmt.Sprintf("How long %s may take, such as `90s`. Defaults to `%gm`.", what, limit.Minutes())
	}

	attribute, ok := timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, CreateDescription: describe("creating, with all that it waits for,", standard.Create),
		Read: true, ReadDescription: describe("reading", standard.Read),
		Update: true, UpdateDescription: describe("a change", standard.Update),
		Delete: true, DeleteDescription: describe("deleting", standard.Delete),
	}).(schema.SingleNestedAttribute)
	if !ok {
		panic("timeouts.Attributes is no longer a nested attribute") // a new version of the library; any test finds it
	}

	attribute.MarkdownDescription = "How long operations may take."

	return attribute
}
