package volume

import (
	"context"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

const description = `A storage volume of a libvirt host: empty, made from an image, or an overlay on another volume.

An image is uploaded, or downloaded from the web, once per host and checked by its hash. An overlay starts with the content of the volume below it and
stores only what differs. A volume grows in place; making it smaller is refused, since that would cut off data.

Data is not lost by accident: a plan that deletes or replaces a volume that was made empty and that something wrote to since
is refused, unless ` + "`protected`" + ` says otherwise. Images and overlays can be made again, and are protected if told so.

A volume of a volume group begins with whatever was on the disk there before: LVM wipes nothing, neither when a volume is made nor when
it is deleted.`

// namePattern is what a volume or pool may be called: it becomes a file's name and part of the id.
const namePattern = `^[A-Za-z0-9_][A-Za-z0-9_.:+@-]*$`

func volumeSchema(ctx context.Context) schema.Schema {
	replace := []planmodifier.String{stringplanmodifier.RequiresReplace()}

	return schema.Schema{
		MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "The volume's id, `host/pool/name`. Machines and overlays refer to it.",
				Computed:            true,
			},
			"host": schema.StringAttribute{
				MarkdownDescription: "Name of the host in the provider block. Another one moves the volume with its data: together with the machine that uses it, or by itself if none does.",
				Required:            true,
			},
			"pool": schema.StringAttribute{
				MarkdownDescription: "Storage pool of the host. Defaults to `default`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString("default"),
				Validators:          []validator.String{nameValidator()},
				PlanModifiers:       replace,
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the volume in its pool, such as `web-1.qcow2`.",
				Required:            true,
				Validators:          []validator.String{nameValidator(), notReserved{}},
				PlanModifiers:       replace,
			},
			"format": schema.StringAttribute{
				MarkdownDescription: "`qcow2` or `raw`. Defaults to the image's own format, otherwise to `qcow2`. In a volume group (a pool of type `logical`) there is `raw` only, and it is the default.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{stringvalidator.OneOf("qcow2", "raw")},
				PlanModifiers:       replace,
			},
			"size":    sizeAttribute(),
			"source":  sourceAttribute(),
			"backing": backingAttribute(),
			"sha256": schema.StringAttribute{
				MarkdownDescription: "SHA-256 of the image, in hexadecimal. If given, another file is refused; otherwise it is computed. A changed image replaces the volume.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{hashValidator()},
				PlanModifiers:       replace,
			},
			"path": schema.StringAttribute{
				MarkdownDescription: "Path of the volume on its host.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"allocation": allocationAttribute(),
			"protected": schema.BoolAttribute{
				MarkdownDescription: "Whether a plan that would delete or replace the volume is refused once something was written to it, or if nobody can tell, as with `full` allocation and in volume groups. Only what was applied before counts: set it to `false`, apply, and then delete. Defaults to `true` for volumes that were made empty, and to `false` for those with a `source` or a `backing`.",
				Optional:            true,
			},
			"timeouts": tf.Timeouts(ctx, limits),
		},
	}
}

func sizeAttribute() schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: "Capacity as the machine sees it, such as `20GiB`. Defaults to that of the image or of the volume below. Growing happens in place; shrinking is refused. In a volume group it must be a whole number of extents, 4 MiB unless the group was made otherwise, and an image's size is rounded up to it; libvirt cannot grow a volume there, and the plan names the commands that do.",
		CustomType:          tf.SizeType(),
		Optional:            true,
		Computed:            true,
		Validators:          []validator.String{wholeSectors{}},
		PlanModifiers:       []planmodifier.String{tf.KeepEqual{}},
	}
}

func allocationAttribute() schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: "`thin`, so that the volume occupies what was written to it, or `full`, so that its whole size is set aside on the host when it is made; what it grows by later is thin. Defaults to `thin`, and in a volume group to `full`, which is all that it has.",
		Optional:            true,
		Computed:            true,
		Validators:          []validator.String{stringvalidator.OneOf(thin, full)},
	}
}

func sourceAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Image that the volume is made from.",
		Optional:            true,
		Validators:          []validator.Object{objectvalidator.ConflictsWith(path.MatchRoot("backing"))},
		PlanModifiers: []planmodifier.Object{objectplanmodifier.RequiresReplaceIf(
			cameOrWent, "Adding or removing the image replaces the volume.", "Adding or removing the image replaces the volume.")},
		Attributes: map[string]schema.Attribute{
			"file": schema.StringAttribute{
				MarkdownDescription: "Path of the image where Terraform runs. Moving the file changes nothing as long as its content is the same.",
				Optional:            true,
				Validators: []validator.String{
					stringvalidator.LengthAtLeast(1),
					stringvalidator.ExactlyOneOf(path.MatchRelative().AtParent().AtName("file"), path.MatchRelative().AtParent().AtName("url")),
				},
			},
			"url": schema.StringAttribute{
				MarkdownDescription: "Address (`https://` or `http://`) that the image is downloaded from when the volume is made, by way of where Terraform runs and without a file there. Certificates are verified. A plan downloads nothing.",
				Optional:            true,
				Validators: []validator.String{
					imageURL{},
					stringvalidator.AlsoRequires(path.MatchRelative().AtParent().AtName("checksum")),
				},
			},
			"checksum": schema.StringAttribute{
				MarkdownDescription: "Checksum of what `url` gives, `sha256:` or `sha512:` and the sum in hexadecimal. The volume is not complete before it is verified, and another checksum replaces the volume.",
				Optional:            true,
				Validators: []validator.String{
					stringvalidator.RegexMatches(checksumPattern, "must be sha256: and 64, or sha512: and 128 characters of 0-9 and a-f"),
					stringvalidator.AlsoRequires(path.MatchRelative().AtParent().AtName("url")),
					stringvalidator.ConflictsWith(path.MatchRoot("sha256")),
				},
			},
		},
	}
}

func backingAttribute() schema.Attribute {
	return schema.StringAttribute{
		MarkdownDescription: "Id of the volume of the same host that this one is an overlay on. The volume below must not change any more.",
		Optional:            true,
	}
}
