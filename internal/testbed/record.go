package testbed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// record is what is written down about a bed, always before the thing itself is made, so that any later process can
// remove all of it. Names of links, network namespaces and cgroups follow from the id and the hosts.
type record struct {
	ID     string       `json:"id"`
	Name   string       `json:"name,omitempty"` // of a bed that outlives its process
	Subnet int          `json:"subnet"`         // N of 10.77.N.0/24
	Owner  *process     `json:"owner,omitempty"`
	Hosts  []hostRecord `json:"hosts,omitempty"`
}

// hostRecord is what a later process must know of a host.
type hostRecord struct {
	Name     string    `json:"name"`
	Number   int       `json:"number"` // last part of its address
	Topology *Topology `json:"topology,omitempty"`
	// Memory is the hierarchy of the memory controller on a host with containers. Where it is follows from the process that
	// started the host, which the one that removes it need not be.
	Memory *hierarchy `json:"memory,omitempty"`
}

// groups are the hierarchies that the host has groups in.
func (h hostRecord) groups(all groups) groups {
	if h.Memory == nil {
		return all
	}
	return append(slices.Clone(all), *h.Memory)
}

func (r *record) folder() string { return filepath.Join(registry(), r.ID) }

// prefix begins the name of everything the bed makes: 6 characters, since a link's name has room for 15.
func (r *record) prefix() string { return "hv" + r.ID }

func (r *record) netns(host string) string { return r.prefix() + "-" + host }

func (r *record) veth(number int) string { return fmt.Sprintf("%s-%d", r.prefix(), number) }

// registry is the folder that holds a folder for each bed of this machine.
func registry() string { return filepath.Join(os.TempDir(), "hypervisor-testbed") }

const recordFile = "bed.json"

// save writes the record so that a reader never sees half of it.
func (r *record) save() error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the record of bed %s: %w", r.ID, err)
	}
	path := filepath.Join(r.folder(), recordFile)
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return fmt.Errorf("write the record of bed %s: %w", r.ID, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write the record of bed %s: %w", r.ID, err)
	}
	return nil
}

// records reads the record of every bed of this machine. Folders without a record are what is left of beds whose
// resources are all gone; they are returned by path.
func records() (beds []record, leftovers []string, err error) {
	entries, err := os.ReadDir(registry())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list beds: %w", err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		folder := filepath.Join(registry(), entry.Name())
		content, err := os.ReadFile(filepath.Join(folder, recordFile))
		if errors.Is(err, fs.ErrNotExist) {
			leftovers = append(leftovers, folder)
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("list beds: %w", err)
		}
		var r record
		if err := json.Unmarshal(content, &r); err != nil {
			return nil, nil, fmt.Errorf("read the record of bed %s: %w", entry.Name(), err)
		}
		beds = append(beds, r)
	}
	return beds, leftovers, nil
}

// openRegistry makes the registry and locks it against other processes until the returned function is called.
func openRegistry(ctx context.Context) (unlock func(), err error) {
	folder := registry()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("open the registry of beds: %w", err)
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return nil, fmt.Errorf("open the registry of beds: %w", err)
	}
	// The folder's name is known and its parent writable by all: trust it only if nobody else can write there.
	owner, known := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm()&0o022 != 0 || !known || int(owner.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("open the registry of beds: %s belongs to somebody else: remove it", folder)
	}
	return lock(ctx, filepath.Join(folder, "lock"))
}

// lock takes an exclusive lock on a file, waiting for other processes; the kernel frees it when its holder dies.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	err = until(ctx, func(context.Context) error {
		return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	})
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = file.Close() }, nil
}

// teardown removes everything a record speaks of: processes, cgroups, network namespaces, links, files.
func (r *record) teardown(ctx context.Context, g groups) error {
	var failures []error
	failures = append(failures,
		g.end(ctx, r.prefix(), syscall.SIGKILL, teardownLimit),
		g.remove(ctx, r.prefix()))
	for _, host := range r.Hosts {
		failures = append(failures, host.groups(nil).remove(ctx, r.prefix()), r.disconnect(ctx, host))
	}
	failures = append(failures, removeLink(ctx, r.prefix()))
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("remove bed %s: %w", r.ID, err) // its folder stays, so that the next run tries again
	}
	if err := os.RemoveAll(r.folder()); err != nil {
		return fmt.Errorf("remove bed %s: %w", r.ID, err)
	}
	return nil
}

// disconnect removes a host's network. A namespace takes its links with it, but some time later.
func (r *record) disconnect(ctx context.Context, host hostRecord) error {
	return errors.Join(removeLink(ctx, r.veth(host.Number)), removeNetns(ctx, r.netns(host.Name)))
}

// removeNetns removes a network namespace with the links in it, and is content if there is none.
func removeNetns(ctx context.Context, name string) error {
	if _, err := os.Lstat(filepath.Join("/run/netns", name)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	_, err := run(ctx, "ip", "netns", "delete", name)
	return err
}

// removeLink removes a link of the root network namespace, and is content if there is none.
func removeLink(ctx context.Context, name string) error {
	_, err := run(ctx, "ip", "link", "delete", name)
	if err != nil && strings.Contains(err.Error(), "Cannot find device") {
		return nil
	}
	return err
}
