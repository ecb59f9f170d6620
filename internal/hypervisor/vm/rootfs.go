package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
)

// unpackScript makes a root file system ($2) from an archive ($1), whatever an attempt before has left. It is there under its
// name only when it is complete, and what went wrong is in a file beside it.
const unpackScript = `set -eu
exec 2>"$2.log"
rm -rf --one-file-system "$2" "$2.part"
mkdir "$2.part"
tar --extract --numeric-owner --preserve-permissions --file "$1" --directory "$2.part"
mv "$2.part" "$2"
rm "$2.log"
`

// clearScript removes a root file system ($1) and all that is left of attempts to make it.
const clearScript = `exec 2>"$1.log"
rm -rf --one-file-system "$1" "$1.part" && rm "$1.log"
`

// logLimit is how much of what a script complained about is worth repeating.
const logLimit = 1000

// vacant refuses to make a container anew over a root file system that no definition speaks of: somebody may want it back.
func (m model) vacant(ctx context.Context, host *libvirt.Host) error {
	ref, err := libvirt.ParseVolumeRef(m.archive())
	if err != nil {
		return err
	}

	name := rootName(m.Name.ValueString())

	found, err := host.Volume(ctx, ref.Pool, name)
	if errors.Is(err, libvirt.ErrNotFound) {
		return nil
	}

	if err == nil {
		err = fmt.Errorf("there is a root file system of this name already, %s on host %q, and no machine that it belongs to. Remove it, or declare the container with container = { directory = %q }", found.Path, host.Name(), found.Path)
	}

	return err
}

// unpack makes the container's root file system from its archive. With nothing but a libvirt connection the host's files are
// reached from within a container, so one does it that has the host's root file system, for as long as it takes.
func (m model) unpack(ctx context.Context, host *libvirt.Host, root string) error {
	ref, err := libvirt.ParseVolumeRef(m.archive())
	if err != nil {
		return err
	}

	archive, err := host.Volume(ctx, ref.Pool, ref.Name)
	if err != nil {
		return err
	}

	if err := runScript(ctx, host, m.Name.ValueString()+".unpack", unpackScript, archive.Path, root); err != nil {
		return err
	}

	if err := host.RefreshPool(ctx, ref.Pool); err != nil {
		return err
	}

	_, err = host.Volume(ctx, ref.Pool, path.Base(root))
	if !errors.Is(err, libvirt.ErrNotFound) {
		return err
	}

	return fmt.Errorf("unpack %s into %s on host %q: %s. The host needs /bin/sh, GNU tar and the archive's compression program", ref, root, host.Name(), complaint(ctx, host, ref.Pool, root))
}

// clear removes a root file system that was unpacked from an archive.
func clearRoot(ctx context.Context, host *libvirt.Host, archive, machine, root string) error {
	ref, err := libvirt.ParseVolumeRef(archive)
	if err != nil {
		return err
	}

	if err := runScript(ctx, host, machine+".clear", clearScript, root); err != nil {
		return err
	}

	err = host.RefreshPool(ctx, ref.Pool)
	if errors.Is(err, libvirt.ErrNotFound) {
		return nil // with its pool there is nobody to ask
	}

	if err != nil {
		return err
	}

	_, err = host.Volume(ctx, ref.Pool, path.Base(root))
	if errors.Is(err, libvirt.ErrNotFound) {
		return nil
	}

	if err == nil {
		err = fmt.Errorf("remove %s on host %q: %s. Remove it there", root, host.Name(), complaint(ctx, host, ref.Pool, root))
	}

	return err
}

func runScript(ctx context.Context, host *libvirt.Host, name, script string, arguments ...string) error {
	text, err := domainxml.RenderTask(name, append([]string{"/bin/sh", "-c", script, "sh"}, arguments...))
	if err != nil {
		return err
	}

	return host.Run(ctx, name, text)
}

// complaint is what a script wrote down before it failed.
func complaint(ctx context.Context, host *libvirt.Host, pool, root string) string {
	var log bytes.Buffer
	if err := host.Download(ctx, pool, path.Base(root)+".log", &log); err != nil {
		return "it did not get so far as to say why"
	}

	text := strings.Join(strings.Fields(log.String()), " ")

	return strings.TrimSuffix(text[:min(len(text), logLimit)], ".")
}
