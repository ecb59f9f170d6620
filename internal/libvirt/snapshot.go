package libvirt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"libvirt.org/go/libvirtxml"
)

// Snapshot is a state of a machine that it can go back to: its definition, the content of its disks and, if it ran, of its
// memory.
type Snapshot struct {
	Name   string
	Note   string
	Taken  time.Time // to the second
	Memory bool      // the machine ran, and goes on from there
}

func parseSnapshot(text string) (Snapshot, error) {
	var parsed libvirtxml.DomainSnapshot
	if err := parsed.Unmarshal(text); err != nil {
		return Snapshot{}, fmt.Errorf("parse a snapshot: %w", err)
	}

	snapshot := Snapshot{Name: parsed.Name, Note: parsed.Description, Memory: parsed.Memory != nil && parsed.Memory.Snapshot != "no"}

	seconds, err := strconv.ParseInt(parsed.CreationTime, 10, 64)
	if err != nil {
		return Snapshot{}, fmt.Errorf("parse snapshot %q: %w", parsed.Name, err)
	}

	snapshot.Taken = time.Unix(seconds, 0).UTC()

	return snapshot, nil
}

// Snapshots returns the machine's snapshots in the order of their names, or ErrNotFound if there is no such machine.
func (h *Host) Snapshots(ctx context.Context, uuid string) ([]Snapshot, error) {
	texts, err := do(ctx, h, "list the machine's snapshots", func(c connection) ([]string, error) { return c.snapshots(uuid) })
	if err != nil {
		return nil, err
	}

	all := make([]Snapshot, len(texts))
	for at, text := range texts {
		if all[at], err = parseSnapshot(text); err != nil {
			return nil, err
		}
	}

	slices.SortFunc(all, func(a, b Snapshot) int { return cmp.Compare(a.Name, b.Name) })

	return all, nil
}

// Snapshot returns the machine's snapshot with the name, or ErrNotFound.
func (h *Host) Snapshot(ctx context.Context, uuid, name string) (Snapshot, error) {
	all, err := h.Snapshots(ctx, uuid)
	if err != nil {
		return Snapshot{}, err
	}

	at := slices.IndexFunc(all, func(s Snapshot) bool { return s.Name == name })
	if at < 0 {
		return Snapshot{}, fmt.Errorf("find snapshot %q of the machine %s on host %q: %w", name, uuid, h.name, ErrNotFound)
	}

	return all[at], nil
}

// TakeSnapshot keeps the machine's present state inside of its disks. One that runs stops for as long as its memory is
// written, and goes on.
func (h *Host) TakeSnapshot(ctx context.Context, uuid, name, note string) error {
	definition := libvirtxml.DomainSnapshot{Name: name, Description: note}

	text, err := definition.Marshal()
	if err != nil {
		return fmt.Errorf("render snapshot %q: %w", name, err)
	}

	return write(ctx, h, uuid, unannounced, "take the snapshot", func(c connection) error { return c.createSnapshot(uuid, text) })
}

// RevertToSnapshot puts the machine back to the snapshot: its disks, its definition and, if it ran, its memory. If start
// is set, it runs afterwards in any case.
func (h *Host) RevertToSnapshot(ctx context.Context, uuid, name string, start bool) error {
	return run(ctx, h, slices.Concat(machines, storage), "go back to the snapshot", func(c connection) error {
		return c.revertToSnapshot(uuid, name, start)
	})
}

// DeleteSnapshot removes the snapshot; the machine and its data stay as they are. One that is gone is no error.
func (h *Host) DeleteSnapshot(ctx context.Context, uuid, name string) error {
	err := write(ctx, h, uuid, unannounced, "delete the snapshot", func(c connection) error { return c.deleteSnapshot(uuid, name) })
	if errors.Is(err, ErrNotFound) {
		return nil
	}

	return err
}
