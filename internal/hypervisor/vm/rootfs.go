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

// unpackScript makes a root file system ($2) from an archive ($1). It is there under its name only when it is complete, beside
// it is which archive it was made from, and what went wrong as long as something did. One that is there already is kept if it
// is from the same archive: its container was removed by hand, or the attempt before came so far.
const unpackScript = `set -eu
exec 2>"$2.log"
from=$(stat --format '%n, %s bytes of %y' "$1")
if [ -e "$2" ]; then
	was=$(cat "$2.from" || true)
	if [ "$was" != "$from" ]; then
		echo "it is there already, made from ${was:-an archive that nobody knows}, and this is $from" >&2
		exit 1
	fi
else
	rm -rf --one-file-system "$2.part" "$2.from"
	mkdir "$2.part"
	tar --extract --numeric-owner --preserve-permissions --file "$1" --directory "$2.part"
	printf %s "$from" >"$2.from"
	mv "$2.part" "$2"
fi
rm "$2.log"
`

// clearScript removes a root file system ($1) and all that is left of attempts to make it.
const clearScript = `exec 2>"$1.log"
rm -rf --one-file-system "$1" "$1.part" "$1.from" && rm "$1.log"
`

// logLimit is how much of what a script complained about is worth repeating.
const logLimit = 1000

// unpack makes the root file system of a container that is made of an archive, unless the container was completed before. With nothing but a libvirt connection the host's files are
// reached from within a container, so one does it that has the host's root file system, for as long as it takes.
func (m model) unpack(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	if m.archive() == "" || spec.Mark.Complete {
		return nil
	}

	root := spec.Container.Root

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

	complaint, err := complaintOf(ctx, host, ref.Pool, root)
	if err != nil || complaint == "" {
		return err
	}

	return fmt.Errorf("unpack %s into %s on host %q: %s. The host needs /bin/sh, GNU tar and the archive's compression program", ref, root, host.Name(), complaint)
}

// unmake removes the root file system of a container that was unpacked from an archive, as its definition says.
func unmake(ctx context.Context, host *libvirt.Host, spec domainxml.Spec) error {
	archive := readSettings(spec.Mark).Archive
	if archive == "" || spec.Container == nil || path.Base(spec.Container.Root) != rootName(spec.Name) {
		return nil
	}

	ref, err := libvirt.ParseVolumeRef(archive)
	if err != nil {
		return err
	}

	root := spec.Container.Root
	if err := runScript(ctx, host, spec.Name+".clear", clearScript, root); err != nil {
		return err
	}

	err = host.RefreshPool(ctx, ref.Pool)
	if errors.Is(err, libvirt.ErrNotFound) {
		return nil // with its pool there is nobody to ask
	}

	if err != nil {
		return err
	}

	complaint, err := complaintOf(ctx, host, ref.Pool, root)
	if err != nil || complaint == "" {
		return err
	}

	return fmt.Errorf("remove %s on host %q: %s. Remove it there", root, host.Name(), complaint)
}

func runScript(ctx context.Context, host *libvirt.Host, name, script string, arguments ...string) error {
	text, err := domainxml.RenderTask(name, append([]string{"/bin/sh", "-c", script, "sh"}, arguments...))
	if err != nil {
		return err
	}

	return host.Run(ctx, name, text)
}

// complaintOf is what a script wrote down before it failed, or nothing if it did not.
func complaintOf(ctx context.Context, host *libvirt.Host, pool, root string) (string, error) {
	name := path.Base(root) + ".log"

	_, err := host.Volume(ctx, pool, name)
	if errors.Is(err, libvirt.ErrNotFound) {
		return "", nil
	}

	if err != nil {
		return "", err
	}

	var log bytes.Buffer
	if err := host.Download(ctx, pool, name, &log); err != nil {
		return "", err
	}

	text := strings.Join(strings.Fields(log.String()), " ")
	if text == "" {
		text = "it was ended before it was done"
	}

	return strings.TrimSuffix(text[:min(len(text), logLimit)], "."), nil
}
