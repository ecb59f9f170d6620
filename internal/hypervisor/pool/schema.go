package pool

import (
	"context"
	"regexp"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const description = `A storage pool of a libvirt host: where its volumes are.

The data is never touched. A pool is a description of storage, and deleting or replacing it removes that description only:
folders, exports and volume groups stay with all that is in them, and a pool that is made over them again has the same
volumes. A folder that is missing is made when the pool is created. A pool that is off is started again by the next apply.

A pool is not deleted, and so not replaced either, while a machine has a disk in it, be it Terraform's or not: the machine
could not be started any more.`

var (
	namePattern  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:+@-]*$`)
	groupPattern = regexp.MustCompile(`^[A-Za-z0-9_+.][A-Za-z0-9_+.-]*$`) // lvm(8)
	pathPattern  = regexp.MustCompile(`^(/[^/\n]+)+$`)                    // libvirt drops slashes that are too many
)

func nameValidator() validator.String {
	return stringvalidator.RegexMatches(namePattern,
		"must begin with a letter, a digit or an underscore and consist of these and of the characters . : + @ -")
}

func pathValidator() validator.String {
	return stringvalidator.RegexMatches(pathPattern, "must be an absolute path without a slash at its end, such as \"/srv/machines\"")
}

func poolSchema(ctx context.Context) schema.Schema {
	replace := []planmodifier.String{stringplanmodifier.RequiresReplace()}

	return schema.Schema{
		MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "The pool's id, `host/name`.",
				Computed:            true,
			},
			"host": schema.StringAttribute{
				MarkdownDescription: "Name of the host in the provider block.",
				Required:            true,
				PlanModifiers:       replace,
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the pool on its host. Volumes refer to it.",
				Required:            true,
				Validators:          []validator.String{nameValidator()},
				PlanModifiers:       replace,
			},
			"type": schema.StringAttribute{
				MarkdownDescription: "`dir`, a folder of the host; `logical`, a volume group of LVM that is there already; `netfs`, a folder that another machine exports, over NFS for example.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.OneOf(libvirt.DirPool, libvirt.LogicalPool, libvirt.NetFSPool)},
				PlanModifiers:       replace,
			},
			"path": schema.StringAttribute{
				MarkdownDescription: "Where the volumes are on the host: the folder of `dir`, or the one that `netfs` mounts the export on. That of `logical` follows from the volume group.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{pathValidator()},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown(), stringplanmodifier.RequiresReplaceIfConfigured()},
			},
			"source": sourceAttribute(),
			"autostart": schema.BoolAttribute{
				MarkdownDescription: "Whether the pool starts when its host does. Defaults to `true`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"running": schema.BoolAttribute{
				MarkdownDescription: "Whether the pool is active. One that is not is started by the next apply.",
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"timeouts": tf.Timeouts(ctx, limits),
		},
	}
}

func sourceAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What the pool is made of, for `netfs` and `logical`.",
		Optional:            true,
		PlanModifiers:       []planmodifier.Object{objectplanmodifier.RequiresReplace()},
		Attributes: map[string]schema.Attribute{
			"host": schema.StringAttribute{
				MarkdownDescription: "For `netfs`: name or address of the machine that exports.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"dir": schema.StringAttribute{
				MarkdownDescription: "For `netfs`: path of the export on that machine.",
				Optional:            true,
				Validators:          []validator.String{pathValidator()},
			},
			"format": schema.StringAttribute{
				MarkdownDescription: "For `netfs`: `nfs`, `glusterfs` or `cifs`. By default the host finds out.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf("nfs", "glusterfs", "cifs")},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "For `logical`: name of the volume group.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(groupPattern, "must be the name of a volume group")},
			},
			"devices": schema.SetAttribute{
				MarkdownDescription: "For `logical`: the devices that the volume group is on. Libvirt does not start the pool if it is on others. Defaults to any.",
				ElementType:         types.StringType,
				Optional:            true,
				Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.ValueStringsAre(pathValidator())},
			},
		},
	}
}
