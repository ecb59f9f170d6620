package volume

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// importImage takes "host/pool/name?file=PATH" or "host/pool/name?checksum=SUM&url=URL" of a volume that was made from an image:
// it is compared with what is on the host, so that the import does not claim what is not so.
func importImage(ctx context.Context, clients *backend.Backend, id string, resp *resource.ImportStateResponse) (string, error) {
	id, text, fromImage := strings.Cut(id, "?")
	if !fromImage {
		return id, nil
	}

	from, err := parseSource(text)
	if err != nil {
		return "", err
	}

	ref, err := libvirt.ParseVolumeRef(id)
	if err != nil {
		return "", err
	}

	host, err := clients.Host(ref.Host)
	if err != nil {
		return "", err
	}

	sums, err := matchImage(ctx, host, ref, model{Source: &from})
	if err != nil {
		return "", err
	}

	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("source"), from)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("sha256"), sums.sum(sha256Kind))...)

	group, err := host.InVolumeGroup(ctx, ref.Pool)
	if err != nil {
		return "", err
	}

	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("allocation"), allocationIn(group))...)

	return id, nil
}

// parseSource reads what an import's id says of the image. An address comes last, since it may have anything in it.
func parseSource(text string) (source, error) {
	if file, is := strings.CutPrefix(text, "file="); is && file != "" {
		return source{File: types.StringValue(file)}, nil
	}

	sum, address, both := strings.Cut(text, "&url=")
	sum, is := strings.CutPrefix(sum, "checksum=")

	if !is || !both || address == "" {
		return source{}, fmt.Errorf("%q does not say which image the volume was made from. Write host/pool/name?file=PATH, or host/pool/name?checksum=SUM&url=URL", text)
	}

	_, err := parseChecksum(sum)

	return source{URL: types.StringValue(address), Checksum: types.StringValue(sum)}, err
}

// matchImage compares the volume with the image that the model names, from which it may have grown since, and returns the image's
// checksums.
func matchImage(ctx context.Context, host *libvirt.Host, ref libvirt.VolumeRef, m model) (digest, error) {
	volume, err := host.Volume(ctx, ref.Pool, ref.Name)
	if err != nil {
		return nil, err
	}

	from, err := m.open(ctx)
	if err != nil {
		return nil, err
	}

	if err := from.content.Close(); err != nil {
		return nil, err
	}

	sums, err := original(ctx, host, volume, from.image)
	if err == nil {
		err = from.want.differs(sums)
	}

	if errors.Is(err, errOther) {
		err = fmt.Errorf("the volume does not hold the image %s: %w. It was not made from it, or was written to since: import it without what comes after the question mark, and leave source out", from.image.Path, err)
	}

	return sums, err
}
