package vm

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	tfpath "github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const defaultInit = "/sbin/init"

func containerAttribute() schema.Attribute {
	one := stringvalidator.ExactlyOneOf(tfpath.MatchRelative().AtParent().AtName("directory"), tfpath.MatchRelative().AtParent().AtName("archive"))

	return schema.SingleNestedAttribute{
		MarkdownDescription: "What the machine is made of on a host of containers (`lxc:///`), instead of `disks`. The guide *Containers and Xen hosts* says what a container has of a machine.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"directory": schema.StringAttribute{
				MarkdownDescription: "Folder of the host that is the container's root file system, such as `/srv/containers/web-1`. It has to be there, and stays when the container goes.",
				Optional:            true,
				Validators:          []validator.String{one, folder{}},
			},
			"archive": schema.StringAttribute{
				MarkdownDescription: "Id of a volume that is a tar archive, compressed or not, in a pool of folders on the same host. It is unpacked beside the archive when the container is made, and what was unpacked goes with the container.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"init": schema.ListAttribute{
				MarkdownDescription: "The first process of the container, with its arguments. Defaults to `[\"/sbin/init\"]`.",
				ElementType:         types.StringType,
				Optional:            true,
				Computed:            true,
				Default:             listdefault.StaticValue(types.ListValueMust(types.StringType, []attr.Value{types.StringValue(defaultInit)})),
				Validators:          []validator.List{listvalidator.SizeAtLeast(1), command{}},
			},
		},
	}
}

// folder checks the path of a folder that may be a root file system.
type folder struct{}

func (folder) Description(context.Context) string {
	return "the absolute path of a folder other than /, without . and .. and without a slash at its end"
}

func (v folder) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v folder) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	text := req.ConfigValue.ValueString()
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() || (text != "/" && path.IsAbs(text) && path.Clean(text) == text) {
		return
	}

	resp.Diagnostics.AddAttributeError(req.Path, "Impossible root file system", fmt.Sprintf("%q is not %s.", text, v.Description(ctx)))
}

// command checks that the first element is the path of a program.
type command struct{}

func (command) Description(context.Context) string {
	return "a program by its absolute path, and its arguments"
}

func (v command) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v command) ValidateList(ctx context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	elements := req.ConfigValue.Elements()
	if len(elements) == 0 || elements[0].IsUnknown() {
		return
	}

	if program, ok := elements[0].(types.String); !ok || !strings.HasPrefix(program.ValueString(), "/") {
		resp.Diagnostics.AddAttributeError(req.Path.AtListIndex(0), "No program", fmt.Sprintf("It has to be %s.", v.Description(ctx)))
	}
}
