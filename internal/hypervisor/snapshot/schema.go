package snapshot

import (
	"context"
	"regexp"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

const description = `A snapshot of a machine, so that a change that does not work out is one apply away from the state before.

It is taken when the resource is created, inside of the machine's qcow2 volumes, which take no room for it until they are
written to. A machine that runs is kept with its memory: it stops for as long as that is written, and goes on. Of a machine
that is off only the disks are kept.

Another text in ` + "`revert`" + ` takes the machine back: its disks, its memory and its definition. What was written since is lost, which
the plan says. Deleting the resource removes the snapshot and leaves the machine and its data as they are; deleting the machine's
volumes ends their snapshots too. A machine that has snapshots cannot move to another host.`

var (
	namePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:+@-]*$`)
	uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

func snapshotSchema(ctx context.Context) schema.Schema {
	replace := []planmodifier.String{stringplanmodifier.RequiresReplace()}

	return schema.Schema{
		MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "The snapshot's id, `host/vm/name`.",
				Computed:            true,
			},
			"host": schema.StringAttribute{
				MarkdownDescription: "Name of the machine's host in the provider block. Another one takes another snapshot.",
				Required:            true,
				PlanModifiers:       replace,
			},
			"vm": schema.StringAttribute{
				MarkdownDescription: "The `id` of the machine, a `hypervisor_vm`. All its disks that it can write to must be qcow2.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(uuidPattern, "must be the id of a machine, its UUID in lower case")},
				PlanModifiers:       replace,
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the snapshot. Another one takes another snapshot.",
				Required:            true,
				Validators: []validator.String{stringvalidator.RegexMatches(namePattern,
					"must begin with a letter, a digit or an underscore and consist of these and of the characters . : + @ -")},
				PlanModifiers: replace,
			},
			"revert": schema.StringAttribute{
				MarkdownDescription: "Any text, such as a date. Another one than before takes the machine back to the snapshot, and removing it does nothing. What it has when the snapshot is taken does nothing either.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"memory": schema.BoolAttribute{
				MarkdownDescription: "Whether the machine ran and its memory is kept as well.",
				Computed:            true,
				PlanModifiers:       []planmodifier.Bool{boolplanmodifier.UseStateForUnknown()},
			},
			"taken_at": schema.StringAttribute{
				MarkdownDescription: "When the snapshot was taken by the host's clock (RFC 3339).",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"timeouts": tf.Timeouts(ctx, limits),
		},
	}
}
