package volume

import (
	"context"
	"fmt"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/tf"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// planned is what ModifyPlan works on: single attributes, since any of them may be unknown.
type planned struct {
	Host, Pool, Name, Format, Backing, SHA256, Allocation, Path types.String
	Size                                                        tf.Notation
	Source                                                      types.Object
}

func (p *planned) read(ctx context.Context, get func(context.Context, path.Path, any) diag.Diagnostics) (diags diag.Diagnostics) {
	for name, target := range map[string]any{
		"host": &p.Host, "pool": &p.Pool, "name": &p.Name, "format": &p.Format, "backing": &p.Backing,
		"sha256": &p.SHA256, "size": &p.Size, "source": &p.Source, "allocation": &p.Allocation, "path": &p.Path,
	} {
		diags.Append(get(ctx, path.Root(name), target)...)
	}

	return diags
}

// modifyPlan fills in what can be known before anything is made - the image's hash, format and size - and refuses what
// would fail or lose data.
func modifyPlan(ctx context.Context, clients *backend.Backend, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		checkLoss(ctx, clients, req.State, "delete", &resp.Diagnostics)

		return
	}

	var config, plan planned
	resp.Diagnostics.Append(config.read(ctx, req.Config.GetAttribute)...)
	resp.Diagnostics.Append(plan.read(ctx, req.Plan.GetAttribute)...)

	var state *planned

	if !req.State.Raw.IsNull() {
		state = &planned{}
		resp.Diagnostics.Append(state.read(ctx, req.State.GetAttribute)...)
	}

	if resp.Diagnostics.HasError() {
		return
	}

	plan.checkBacking(&resp.Diagnostics)

	img, err := config.image()
	if err != nil {
		resp.Diagnostics.Append(tf.FailedAt(path.Root("source").AtName("file"), "plan", "volume", plan.Name.ValueString(), err))
	}

	if err := config.checkFormat(img); err != nil {
		resp.Diagnostics.Append(tf.FailedAt(path.Root("format"), "plan", "volume", plan.Name.ValueString(), err))
	}

	if resp.Diagnostics.HasError() {
		return
	}

	in := files
	if plan.isMade(config, state) {
		in = plan.ground(ctx, clients)
	}

	plan.fill(config, state, img, in, &resp.Diagnostics)

	for name, value := range map[string]any{"format": plan.Format, "sha256": plan.SHA256, "size": plan.Size, "allocation": plan.Allocation} {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), value)...)
	}

	if state != nil && !plan.Host.Equal(state.Host) {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("path"), types.StringUnknown())...)
	}

	if state != nil {
		resp.RequiresReplace = append(resp.RequiresReplace, plan.replacing(*state)...)
	}

	if len(resp.RequiresReplace) > 0 {
		checkLoss(ctx, clients, req.State, "replace", &resp.Diagnostics)
	}
}

// checkBacking refuses to stand on a volume of another host.
func (p planned) checkBacking(diags *diag.Diagnostics) {
	if p.Backing.IsNull() || p.Backing.IsUnknown() || p.Host.IsUnknown() {
		return
	}

	ref, err := libvirt.ParseVolumeRef(p.Backing.ValueString())
	if err == nil && ref.Host != p.Host.ValueString() {
		err = fmt.Errorf("the volume below, %s, is on host %q, and this one is on host %q. An overlay and the volume below it stand on one host", ref, ref.Host, p.Host.ValueString())
	}

	if err != nil {
		diags.Append(tf.FailedAt(path.Root("backing"), "plan", "volume", p.Name.ValueString(), err))
	}
}

// image returns the image that the configuration names, or nil if it names none or it is not known yet.
func (p planned) image() (*image, error) {
	file, known := p.file()
	if !known {
		return nil, nil
	}

	img, err := readImage(file)
	if err != nil {
		return nil, err
	}

	if p.SHA256.IsUnknown() {
		return &img, nil
	}

	return &img, checkHash(img, p.SHA256.ValueString())
}

// checkFormat refuses a format that is not the image's: an upload does not convert.
func (p planned) checkFormat(img *image) error {
	if img == nil || p.Format.IsNull() || p.Format.IsUnknown() || p.Format.ValueString() == img.Format {
		return nil
	}

	return fmt.Errorf("the image %s is %s, and format is %q. Leave format out, or convert the image", img.Path, img.Format, p.Format.ValueString())
}

// file is the path of the image, and whether it is one and is known.
func (p planned) file() (string, bool) {
	file := p.part("file")

	return file.ValueString(), !file.IsNull() && !file.IsUnknown()
}

// part is an attribute of the source.
func (p planned) part(name string) types.String {
	if p.Source.IsUnknown() {
		return types.StringUnknown()
	}

	part, _ := p.Source.Attributes()[name].(types.String)

	return part
}

// fill fills in what the configuration does not say.
func (p *planned) fill(config planned, state *planned, img *image, in ground, diags *diag.Diagnostics) {
	p.hash(config, state, img)
	p.format(config, state, img, in)
	p.allocation(config, state, in)
	p.size(config, state, img, in, diags)

	if in == devices {
		p.checkGroup(config, diags)
	}
}

// isMade reports whether the plan makes a volume or grows one, so that it matters what the volume stands in.
func (p planned) isMade(config planned, state *planned) bool {
	return state == nil || len(p.replacing(*state)) > 0 || config.Size.Bytes() > state.Size.Bytes()
}

// checkGroup refuses what a volume of a volume group cannot be.
func (p planned) checkGroup(config planned, diags *diag.Diagnostics) {
	if err := checkGroup(p.Pool.ValueString(), p.Format, config.Allocation, config.Backing); err != nil {
		diags.Append(tf.FailedAt(path.Root("pool"), "plan", "volume", p.Name.ValueString(), err))
	}
}

func (p *planned) hash(config planned, state *planned, img *image) {
	checksum := config.part("checksum")

	switch {
	case !config.SHA256.IsNull():
	case config.Source.IsNull():
		p.SHA256 = types.StringNull()
	case img != nil:
		p.SHA256 = types.StringValue(img.SHA256)
	case strings.HasPrefix(checksum.ValueString(), sha256Kind+":"):
		p.SHA256 = types.StringValue(strings.TrimPrefix(checksum.ValueString(), sha256Kind+":"))
	case state != nil && !checksum.IsUnknown() && !checksum.IsNull() && checksum.Equal(state.part("checksum")):
		p.SHA256 = state.SHA256
	default:
		p.SHA256 = types.StringUnknown()
	}
}

// format is to be called when the hash is planned: the same image has the same format.
func (p *planned) format(config planned, state *planned, img *image, in ground) {
	switch {
	case !config.Format.IsNull():
	case img != nil:
		p.Format = types.StringValue(img.Format)
	case state != nil && p.SHA256.Equal(state.SHA256):
		p.Format = state.Format
	case !config.Source.IsNull():
		p.Format = types.StringUnknown()
	case in == later:
		p.Format = types.StringUnknown()
	default:
		p.Format = formatIn(in == devices)
	}
}

func (p *planned) allocation(config planned, state *planned, in ground) {
	switch {
	case !config.Allocation.IsNull():
	case state != nil && !state.Allocation.IsNull():
		p.Allocation = state.Allocation
	case in == later:
		p.Allocation = types.StringUnknown()
	default:
		p.Allocation = allocationIn(in == devices)
	}
}

func (p *planned) size(config planned, state *planned, img *image, in ground, diags *diag.Diagnostics) {
	if config.Size.IsNull() {
		switch {
		case state != nil && len(p.replacing(*state)) == 0:
			p.Size = state.Size
		case img != nil && in == files:
			p.Size = tf.Size(img.Capacity)
		}

		return
	}

	if config.Size.IsUnknown() {
		return
	}

	if img != nil && config.Size.Bytes() < img.Capacity {
		diags.Append(tf.FailedAt(path.Root("size"), "plan", "volume", p.Name.ValueString(),
			fmt.Errorf("the image's disk has %s, and size is %s. Give it at least as much, or leave size out", tf.FormatSize(img.Capacity), config.Size.ValueString())))
	}

	if state != nil && len(p.replacing(*state)) == 0 && config.Size.Bytes() > state.Size.Bytes() && in == devices {
		diags.Append(tf.FailedAt(path.Root("size"), "grow", "volume", p.Name.ValueString(), growGroup(state.Path.ValueString(), config.Size.Bytes())))
	}

	if state != nil && len(p.replacing(*state)) == 0 && config.Size.Bytes() < state.Size.Bytes() {
		diags.Append(tf.FailedAt(path.Root("size"), "shrink", "volume", p.Name.ValueString(),
			fmt.Errorf("it has %s, and size is %s. A volume only grows, since shrinking cuts off data. Raise size, or make a new volume and copy the data", state.Size.ValueString(), config.Size.ValueString())))
	}
}

// replacing lists the attributes whose change cannot be made to the volume that exists.
func (p planned) replacing(state planned) path.Paths {
	var changed path.Paths

	for name, pair := range map[string][2]types.String{
		"pool": {p.Pool, state.Pool}, "name": {p.Name, state.Name}, "format": {p.Format, state.Format}, "sha256": {p.SHA256, state.SHA256},
		"allocation": {p.Allocation, state.Allocation},
	} {
		if !pair[0].Equal(pair[1]) {
			changed = append(changed, path.Root(name))
		}
	}

	if !p.sameBacking(state) {
		changed = append(changed, path.Root("backing"))
	}

	return changed
}

// sameBacking reports whether the volume stands on the same as before, on whichever host. As long as the host is not known,
// what the volume stands on there is not either.
func (p planned) sameBacking(state planned) bool {
	if p.Backing.Equal(state.Backing) || p.Backing.IsUnknown() && p.Host.IsUnknown() {
		return true
	}

	now, err := libvirt.ParseVolumeRef(p.Backing.ValueString())
	if err != nil {
		return false
	}

	before, err := libvirt.ParseVolumeRef(state.Backing.ValueString())

	return err == nil && now.Pool == before.Pool && now.Name == before.Name && !p.Host.Equal(state.Host)
}

// validate refuses a volume of which nothing says how large it is.
func validate(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config planned
	resp.Diagnostics.Append(config.read(ctx, req.Config.GetAttribute)...)

	if config.Size.IsNull() && config.Source.IsNull() && config.Backing.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("size"), "Missing size",
			"An empty volume needs a size, such as \"20GiB\". One that is made from a source or stands on a backing volume may leave it out.")
	}

	if !config.SHA256.IsNull() && config.Source.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("sha256"), "Hash without an image",
			"sha256 is the hash of the image in source, and there is no source. Add it, or remove sha256.")
	}

	if config.Allocation.ValueString() == full && !(config.Source.IsNull() && config.Backing.IsNull()) {
		resp.Diagnostics.AddAttributeError(path.Root("allocation"), "Space for what is not empty",
			"Space is set aside for volumes that are made empty: an image brings its own content, and an overlay stores what differs. Leave allocation out.")
	}
}
