//go:build cgo

// Package raw makes machines straight through libvirt's binding, with nothing in between: what the provider's speed is
// measured against.
package raw

import (
	"errors"
	"fmt"
	"sync"

	"libvirt.org/go/libvirt"
)

var events = sync.OnceValue(func() error {
	if err := libvirt.EventRegisterDefaultImpl(); err != nil {
		return err
	}
	go func() {
		for libvirt.EventRunDefaultImpl() == nil {
		}
	}()
	return nil
})

// Create defines and starts machines over one connection, so many at a time.
func Create(uri string, definitions []string, parallel int) error {
	return each(uri, definitions, parallel, func(conn *libvirt.Connect, definition string) error {
		domain, err := conn.DomainDefineXML(definition)
		if err != nil {
			return err
		}
		return errors.Join(domain.Create(), domain.Free())
	})
}

// Remove ends and undefines machines, given their UUIDs.
func Remove(uri string, uuids []string, parallel int) error {
	return each(uri, uuids, parallel, func(conn *libvirt.Connect, uuid string) error {
		domain, err := conn.LookupDomainByUUIDString(uuid)
		if err != nil {
			return err
		}
		return errors.Join(domain.Destroy(), domain.Undefine(), domain.Free())
	})
}

func each(uri string, all []string, parallel int, do func(*libvirt.Connect, string) error) error {
	if err := events(); err != nil {
		return fmt.Errorf("start libvirt's events: %w", err)
	}
	conn, err := libvirt.NewConnect(uri)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", uri, err)
	}
	defer func() { _, _ = conn.Close() }()

	next := make(chan string)
	failures := make([]error, parallel)
	var workers sync.WaitGroup
	for worker := range parallel {
		workers.Go(func() {
			for one := range next {
				failures[worker] = errors.Join(failures[worker], do(conn, one))
			}
		})
	}
	for _, one := range all {
		next <- one
	}
	close(next)
	workers.Wait()
	return errors.Join(failures...)
}
