package vm

import (
	"context"
	"fmt"
	"path"
	"reflect"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/cloudinit"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	tfpath "github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// seedScript puts the files of an archive ($2) where cloud-init looks for them in a root file system ($1), in place of
// those that are there, or takes those away if there is no archive. Whoever is root in the container may have made any part of the way a link to somewhere
// on the host, so each is entered and looked at before anything is made in it; tar replaces links and does not follow them.
const seedScript = `set -eu
exec 2>"$1.log"
cd -P "$1"
here=$(pwd -P)
for part in ` + seedWay + `; do
	[ -d "$part" ] || mkdir "$part"
	cd -P "$part"
	here=$here/$part
	if [ "$(pwd -P)" != "$here" ]; then
		echo "/$part on the way to the seed is a link" >&2
		exit 1
	fi
done
rm -f meta-data user-data network-config
[ -z "${2-}" ] || tar --extract --no-same-owner --preserve-permissions --file "$2"
rm "$1.log"
`

// seedWay are the parts of cloudinit.Folder.
const seedWay = "var lib cloud seed nocloud"

// seeds are the attributes that a seed is made of. Addresses alone are set up by libvirt.
var seeds = []string{"user_data", "user_data_wo", "user_data_wo_version", "meta_data", "network_config"}

const noPlace = "the seed goes into the container's root file system, and a folder that others have made is left as it is. Make the container from an archive, or put the seed into the folder's " + cloudinit.Folder

// refuseSeed refuses a seed for a container that has nowhere to put it.
func refuseSeed(config tftypes.Value, diags *diag.Diagnostics) {
	given := parts(config)
	if given["container"].IsNull() || !given["container"].IsKnown() || given["cloud_init"].IsNull() || !given["cloud_init"].IsKnown() {
		return
	}

	if parts(given["container"])["directory"].IsNull() {
		return
	}

	for _, name := range seeds {
		if !parts(given["cloud_init"])[name].IsNull() {
			diags.AddAttributeError(tfpath.Root("cloud_init").AtName(name), "No place for a seed", fmt.Sprintf("The container is a folder: %s.", noPlace))

			return
		}
	}
}

// seeded says whether there is anything that only cloud-init does.
func (c *cloudInit) seeded() bool {
	return c != nil && (!c.UserData.IsNull() || !c.UserDataWOVersion.IsNull() || len(c.MetaData) > 0 || !c.NetworkConfig.IsNull())
}

// seedVolume is where the machine's seed is kept, if it has one: on a host of containers beside what it is unpacked from.
func (m model) seedVolume() *domainxml.Volume {
	name := seedName(m.Name.ValueString())

	switch {
	case m.Container == nil && m.CloudInit != nil:
		return &domainxml.Volume{Pool: m.seedPool(), Name: name}
	case m.archive() != "" && m.CloudInit.seeded():
		ref, _ := libvirt.ParseVolumeRef(m.archive()) // what the host has of it is asked before this is used

		return &domainxml.Volume{Pool: ref.Pool, Name: name}
	default:
		return nil
	}
}

// sow puts the seed into the container's root file system, and beside it for an import.
func (m model) sow(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	if err := m.plantSeed(ctx, host, *spec.Seed, spec.UUID); err != nil {
		return err
	}

	volume, err := host.Volume(ctx, spec.Seed.Pool, spec.Seed.Name)
	if err != nil {
		return err
	}

	return m.dig(ctx, host, spec, volume.Path)
}

// dig runs the script of the seed.
func (m model) dig(ctx context.Context, host *libvirt.Host, spec domainxml.Spec, archive string) error {
	ref, err := libvirt.ParseVolumeRef(m.archive())
	if err != nil {
		return err
	}

	root := spec.Container.Root
	arguments := []string{root}

	if archive != "" {
		arguments = append(arguments, archive)
	}

	if err := runScript(ctx, host, spec.Name+".seed", seedScript, arguments...); err != nil {
		return err
	}

	if err := host.RefreshPool(ctx, ref.Pool); err != nil {
		return err
	}

	complaint, err := complaintOf(ctx, host, ref.Pool, root)
	if err != nil || complaint == "" {
		return err
	}

	return fmt.Errorf("write the seed of cloud-init into %s on host %q: %s. Make %s a folder of the container again", path.Join(root, cloudinit.Folder), host.Name(), complaint, cloudinit.Folder)
}

// resow brings the container's seed to what the plan says, or takes it away.
func (m model) resow(ctx context.Context, host *libvirt.Host, before model, stored, want domainxml.Spec) error {
	switch {
	case want.Seed != nil && stored.Seed != nil && reflect.DeepEqual(before.CloudInit.stored(), m.CloudInit.stored()):
		return nil
	case want.Seed != nil:
		return m.sow(ctx, host, want)
	case (stored.Seed != nil || before.CloudInit.seeded()) && m.archive() != "":
		return m.unsow(ctx, host, want)
	default:
		return nil
	}
}

// unsow takes the seed out of the container's root file system, and what is kept of it beside that.
func (m model) unsow(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	ref, err := libvirt.ParseVolumeRef(m.archive())
	if err != nil {
		return err
	}

	if err := m.dig(ctx, host, spec, ""); err != nil {
		return err
	}

	return host.DeleteVolume(ctx, ref.Pool, seedName(spec.Name))
}
