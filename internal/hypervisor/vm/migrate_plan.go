package vm

import (
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/disruption"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// takesAlong reports whether a change is that a disk goes where the machine goes.
func (p planned) takesAlong(state planned, change disruption.Change, at path.Path) bool {
	if change.Attribute != "disks.*.volume" {
		return false
	}

	name, ok := at.Steps()[1].(path.PathStepElementKeyString)

	return ok && p.follows(state, string(name))
}

// follows reports whether the disk is the same volume as before, on the host that the machine moves to if it moves.
func (p planned) follows(state planned, disk string) bool {
	before, now := volumeID(state.Disks, disk), volumeID(p.Disks, disk)
	if before.Equal(now) {
		return true
	}

	if p.Host.Equal(state.Host) {
		return false
	}

	if now.IsUnknown() {
		return true // its id has the host, which is to be decided
	}

	was, err := libvirt.ParseVolumeRef(before.ValueString())
	if err != nil {
		return false
	}

	is, err := libvirt.ParseVolumeRef(now.ValueString())

	return err == nil && was.Pool == is.Pool && was.Name == is.Name
}

func volumeID(disks types.Map, name string) types.String {
	disk, ok := disks.Elements()[name].(types.Object)
	if !ok || disk.IsNull() {
		return types.StringNull()
	}

	if disk.IsUnknown() {
		return types.StringUnknown()
	}

	id, _ := disk.Attributes()["volume"].(types.String)

	return id
}
