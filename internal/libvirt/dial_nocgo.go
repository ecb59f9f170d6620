//go:build !cgo

package libvirt

func dial(string) (connection, error) { return nil, ErrUnsupported }
