package volume

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/backend"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// importImage takes "host/pool/name?file=PATH" of a volume that was made from an image: the file is compared with what is
// on the host, so that the import does not claim what is not so.
func importImage(ctx context.Context, clients *backend.Backend, id string, resp *resource.ImportStateResponse) (string, error) {
	id, file, fromImage := strings.Cut(id, "?file=")
	if !fromImage {
		return id, nil
	}

	ref, err := libvirt.ParseVolumeRef(id)
	if err != nil {
		return "", err
	}

	host, err := clients.Host(ref.Host)
	if err != nil {
		return "", err
	}

	img, err := matchImage(ctx, host, ref, file)
	if err != nil {
		return "", err
	}

	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("source"), source{File: types.StringValue(file)})...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("sha256"), img.SHA256)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("allocation"), thin)...)

	return id, nil
}

func matchImage(ctx context.Context, host *libvirt.Host, ref libvirt.VolumeRef, file string) (image, error) {
	img, err := readImage(file)
	if err != nil {
		return image{}, err
	}

	hash := sha256.New()
	if err := host.Download(ctx, ref.Pool, ref.Name, hash); err != nil {
		return image{}, err
	}

	if on := hex.EncodeToString(hash.Sum(nil)); on != img.SHA256 {
		return image{}, fmt.Errorf("the volume's content has the SHA-256 %s, and that of %s is %s. It was not made from this image, or was grown or written to since: import it without \"?file=\" and leave source out", on, file, img.SHA256)
	}

	return img, nil
}
