package testbed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const memoryController = "memory"

// hierarchy is one mounted cgroup tree and our own place in it.
type hierarchy struct {
	Controllers string // "cpu,cpuacct" or "name=systemd" in version 1, "" in version 2
	Folder      string // where the bed's own groups are made
}

// groups are the cgroup hierarchies a bed uses. Each bed has one group named after it in each, with one group per
// host below, and a group "services" for its other servers. Whatever a bed starts lives there, so that cleaning up
// needs no list of PIDs.
//
// In version 1 the groups are made below our own, so that limits set on us hold. The memory controller is left out:
// a bed must not leave a memory limit that it was started under, and groups below such a limit would keep whoever
// set it from removing it; only hosts with containers, which cannot do without, have such groups, and the bed's record says
// where. In version 2 they are made at the root of the tree, since a group that holds processes
// cannot give controllers to its children ("no internal process constraint", Documentation/admin-guide/cgroup-v2.rst);
// the version 2 part was written by that document and has not been run.
type groups []hierarchy

// findGroups looks at the cgroups of this process.
func findGroups() (groups, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("find cgroups: %w", err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("find cgroups: %w", err)
	}
	return parseGroups(string(own), string(mounts))
}

// findMemory looks for our own group of the memory controller, which findGroups leaves out. In version 2 the controller comes
// with the others, and there is nothing to find.
func findMemory() (hierarchy, bool, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return hierarchy{}, false, fmt.Errorf("find cgroups: %w", err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return hierarchy{}, false, fmt.Errorf("find cgroups: %w", err)
	}
	return parseMemory(string(own), string(mounts))
}

// parseMemory takes what parseGroups takes.
func parseMemory(own, mounts string) (hierarchy, bool, error) {
	for line := range strings.Lines(own) {
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, path, _ := strings.Cut(rest, ":")
		if !slices.Contains(strings.Split(controllers, ","), memoryController) {
			continue
		}
		point, root, found := findMount(mounts, controllers)
		if !found {
			continue
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return hierarchy{}, false, fmt.Errorf("find cgroups: hierarchy %s: %w", controllers, err)
		}
		return hierarchy{Controllers: controllers, Folder: filepath.Join(point, below)}, true, nil
	}
	return hierarchy{}, false, nil
}

// parseGroups takes the contents of /proc/self/cgroup and /proc/self/mountinfo; see cgroups(7) and proc(5).
func parseGroups(own, mounts string) (groups, error) {
	var version1, version2 groups
	for line := range strings.Lines(own) {
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, path, found := strings.Cut(rest, ":")
		if !found || slices.Contains(strings.Split(controllers, ","), memoryController) {
			continue
		}
		point, root, found := findMount(mounts, controllers)
		switch {
		case !found:
		case controllers == "":
			version2 = groups{{Folder: point}}
		default:
			below, err := filepath.Rel(root, path)
			if err != nil {
				return nil, fmt.Errorf("find cgroups: hierarchy %s: %w", controllers, err)
			}
			version1 = append(version1, hierarchy{Controllers: controllers, Folder: filepath.Join(point, below)})
		}
	}

	// A machine with both is a "hybrid" one, whose controllers sit in version 1.
	if slices.ContainsFunc(version1, func(h hierarchy) bool { return !strings.HasPrefix(h.Controllers, "name=") }) {
		return version1, nil
	}
	if version2 != nil {
		return version2, nil
	}
	return nil, errors.New("find cgroups: no cgroup hierarchy is mounted")
}

// findMount returns the mount point of a hierarchy and the path in it that is mounted there.
func findMount(mounts, controllers string) (point, root string, found bool) {
	for line := range strings.Lines(mounts) {
		before, after, _ := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if len(left) < 5 || len(right) < 3 {
			continue
		}
		options := strings.Split(right[2], ",")
		missing := func(controller string) bool { return !slices.Contains(options, controller) }
		if controllers == "" && right[0] == "cgroup2" ||
			controllers != "" && right[0] == "cgroup" && !slices.ContainsFunc(strings.Split(controllers, ","), missing) {
			return left[4], left[3], true
		}
	}
	return "", "", false
}

// witness is the hierarchy by which members are counted: one that libvirt does not move machines about in, or the only one.
func (g groups) witness() hierarchy {
	for _, h := range g {
		if h.Controllers == "pids" {
			return h
		}
	}
	return g[0]
}

// machinesGroup is libvirt's group of all machines, "partition" in its terms.
const machinesGroup = "machine"

// create makes the group bed/member in every hierarchy.
func (g groups) create(bed, member string) error {
	for _, h := range g {
		folders := []string{filepath.Join(h.Folder, bed), filepath.Join(h.Folder, bed, member)}
		if h.Controllers != "" {
			// Of two machines that start at once on a new host, libvirt lets one make the group of all machines, and the other
			// find it half made, fail, and remove it (virCgroupNewPartition, version 1). Hosts with systemd have it already.
			folders = append(folders, filepath.Join(h.Folder, bed, member, machinesGroup))
		}

		for _, folder := range folders {
			if err := h.create(folder); err != nil {
				return fmt.Errorf("create cgroup %s: %w", folder, err)
			}
		}
	}
	return nil
}

func (h hierarchy) create(folder string) error {
	if err := os.Mkdir(folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if h.Controllers == "" {
		// What the parent does not give, the group does not have; a controller that the kernel lacks is no loss here.
		for _, controller := range []string{"cpu", "cpuset", "io", "memory", "pids"} {
			_ = os.WriteFile(filepath.Join(filepath.Dir(folder), "cgroup.subtree_control"), []byte("+"+controller), 0o600)
		}
		return nil
	}
	if !slices.Contains(strings.Split(h.Controllers, ","), "cpuset") {
		return nil
	}
	// A new cpuset of version 1 is empty and takes no process.
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(filepath.Dir(folder), name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), value, 0o600); err != nil {
			return err
		}
	}
	return nil
}

const servicesGroup = "services"

// createServices makes the group of a bed's servers other than its hosts.
func (g groups) createServices(bed string) error {
	return groups{g.witness()}.create(bed, servicesGroup)
}

func (g groups) servicesFile(bed string) string {
	return filepath.Join(g.witness().Folder, bed, servicesGroup, "cgroup.procs")
}

// members lists the processes of a group and of those below it.
func (g groups) members(group string) ([]int, error) {
	var pids []int
	err := filepath.WalkDir(filepath.Join(g.witness().Folder, group), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.Name() != "cgroup.procs" {
			return err
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENODEV) {
			return nil // the group has gone meanwhile
		}
		if err != nil {
			return err
		}
		for field := range strings.FieldsSeq(string(content)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return fmt.Errorf("read %s: %w", path, err)
			}
			pids = append(pids, pid)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list processes of cgroup %s: %w", group, err)
	}
	return pids, nil
}

// end sends signal to every process of a group, those that appear meanwhile included, until none is left or limit has passed.
func (g groups) end(ctx context.Context, group string, signal syscall.Signal, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	told := map[int]bool{}
	err := until(ctx, func(context.Context) error {
		pids, err := g.members(group)
		if err != nil {
			return err
		}
		for _, pid := range pids {
			if !told[pid] || signal == syscall.SIGKILL {
				told[pid] = true
				_ = syscall.Kill(pid, signal)
			}
		}
		if len(pids) > 0 {
			return fmt.Errorf("processes %v are left", pids)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("end the processes of cgroup %s: %w", group, err)
	}
	return nil
}

// remove removes a group and those below it, in every hierarchy. Its processes must have ended.
func (g groups) remove(ctx context.Context, group string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()

	var failures []error
	for _, h := range g {
		// A process that has just ended may hold its group for a moment.
		err := until(ctx, func(context.Context) error { return removeTree(filepath.Join(h.Folder, group)) })
		failures = append(failures, err)
	}
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("remove cgroup %s: %w", group, err)
	}
	return nil
}

// removeTree removes empty folders, the deepest first; files of a cgroup cannot be removed and need not be.
func removeTree(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if err := removeTree(filepath.Join(folder, entry.Name())); err != nil {
			return err
		}
	}
	if err := syscall.Rmdir(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", folder, err)
	}
	return nil
}
