//go:build !cgo

package raw

import "errors"

var errNoCgo = errors.New("libvirt's binding needs cgo")

// Create always fails.
func Create(string, []string, int) error { return errNoCgo }

// Remove always fails.
func Remove(string, []string, int) error { return errNoCgo }
