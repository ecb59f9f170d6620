package libvirt

import (
	"fmt"
	"strings"
)

// VolumeRef names a volume across all hosts. Its text, "host/pool/name", is a volume's id.
type VolumeRef struct {
	Host string
	Pool string
	Name string
}

// String returns "host/pool/name".
func (r VolumeRef) String() string { return r.Host + "/" + r.Pool + "/" + r.Name }

// ParseVolumeRef reads "host/pool/name". A name may contain slashes, as those of some pools do.
func ParseVolumeRef(text string) (VolumeRef, error) {
	parts := strings.SplitN(text, "/", 3)
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return VolumeRef{}, fmt.Errorf("%q is not the id of a volume. Write it as \"host/pool/name\", or refer to a hypervisor_volume's id", text)
	}

	return VolumeRef{Host: parts[0], Pool: parts[1], Name: parts[2]}, nil
}
