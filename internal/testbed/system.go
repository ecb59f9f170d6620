package testbed

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

var (
	//go:embed files/system/init
	systemInit string
	//go:embed files/system/hook
	systemHook string
)

// recipeFolder has the recipe of the guest image, below the project's folder.
const recipeFolder = "modules/image/recipe"

// System is Debian as the recipe of the guest image makes it, for containers: systemd, cloud-init and everything that a role
// may enable. What all containers have alike, /usr, lies on this machine once and is not in the archive: a host that knows
// the system (HostOptions.System) puts it under each container that is made from the archive.
type System struct {
	Archive string // tar archive of all but /usr
	usr     string // folders that are everybody's /usr, as overlayfs takes them: the first one is on top
}

// OpenSystem returns the system, which it builds on first use, in some minutes, and again when the recipe changes. It needs
// Debian's package archive then. The programs that Debian does not have lie above it, so another one of them builds nothing.
func OpenSystem(ctx context.Context) (*System, error) {
	if err := needPrograms(map[string]string{"mmdebstrap": "mmdebstrap", "tar": "tar"}); err != nil {
		return nil, err
	}
	recipe, err := findUpwards(recipeFolder)
	if err != nil {
		return nil, err
	}
	root := strings.TrimSuffix(recipe, recipeFolder)
	consul, err := Tool(ctx, "consul")
	if err != nil {
		return nil, err
	}
	traefik, err := Tool(ctx, "traefik")
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "hypervisor-system-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	pair := filepath.Join(scratch, "mysql-pair")
	if err := buildTool(ctx, root, "./cmd/mysql-pair", "-s -w", pair); err != nil {
		return nil, err
	}
	name, err := systemName(recipe, filepath.Join(root, "cmd/mysql-pair/systemd"))
	if err != nil {
		return nil, err
	}
	folder, err := cached(ctx, "system", name, func(ctx context.Context, path string) error {
		fmt.Fprintln(os.Stderr, "building Debian for containers, once for this machine")
		return buildSystem(ctx, path, recipe, "--consul="+consul, "--traefik="+traefik, "--mysql-pair="+pair)
	})
	if err != nil {
		return nil, fmt.Errorf("build Debian for containers: %w", err)
	}
	programs, err := layPrograms(ctx, pair, consul, traefik)
	if err != nil {
		return nil, fmt.Errorf("build Debian for containers: %w", err)
	}
	return &System{Archive: filepath.Join(folder, "machine.tar"), usr: programs + ":" + filepath.Join(folder, "usr")}, nil
}

// layPrograms returns a folder that has the programs where /usr has them.
func layPrograms(ctx context.Context, pair, consul, traefik string) (string, error) {
	content, err := os.ReadFile(pair)
	if err != nil {
		return "", err
	}
	return cached(ctx, "system", "programs-"+digest(string(content), consul, traefik), func(ctx context.Context, path string) error {
		bin := filepath.Join(path, "local/bin")
		err := errors.Join(os.RemoveAll(path), os.MkdirAll(bin, 0o755))
		for name, source := range map[string]string{"mysql-pair": pair, "consul": consul, "traefik": traefik} {
			if err == nil {
				_, err = run(ctx, "install", "--mode=755", source, filepath.Join(bin, name))
			}
		}
		return err
	})
}

// systemName names the system by everything it is made of, but for Debian's packages and the programs above it.
func systemName(recipe, units string) (string, error) {
	parts := []string{systemInit}
	for _, folder := range []string{recipe, units} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			parts = append(parts, path[len(folder):], string(content))
			return err
		})
		if err != nil {
			return "", fmt.Errorf("name Debian for containers: %w", err)
		}
	}
	return digest(parts...), nil
}

// buildSystem runs the recipe and takes its archive apart.
func buildSystem(ctx context.Context, folder, recipe string, options ...string) error {
	built, root := filepath.Join(folder, "built"), filepath.Join(folder, "root")
	for _, path := range []string{built, root} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	}
	if _, err := run(ctx, append([]string{filepath.Join(recipe, "build.sh"), "--output=" + built, "--containers-only"}, options...)...); err != nil {
		return err
	}
	if _, err := run(ctx, "tar", "--extract", "--numeric-owner", "--preserve-permissions", "--xattrs", "--file", filepath.Join(built, "debian-12.tar"), "--directory", root); err != nil {
		return err
	}
	first := filepath.Join(root, "usr/sbin/init")
	if err := errors.Join(os.Remove(first), os.WriteFile(first, []byte(systemInit), 0o755), os.Chmod(first, 0o755)); err != nil {
		return err
	}
	if err := errors.Join(os.Rename(filepath.Join(root, "usr"), filepath.Join(folder, "usr")), os.Mkdir(filepath.Join(root, "usr"), 0o755)); err != nil {
		return err
	}
	// A new database's log is mostly zeros.
	_, err := run(ctx, "tar", "--create", "--numeric-owner", "--sparse", "--hole-detection=raw", "--file", filepath.Join(folder, "machine.tar"), "--directory", root, ".")
	return errors.Join(err, os.RemoveAll(built), os.RemoveAll(root))
}

// hook is what a host calls for each container that is made of the system.
func (s *System) hook() string { return strings.Replace(systemHook, "SHARED", s.usr, 1) }

// writeHook lets the host put the system's /usr under its containers.
func (h *Host) writeHook(system *System) error {
	if system == nil {
		return nil
	}
	if err := os.MkdirAll(h.path("etc/hooks"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(h.path("etc/hooks/lxc"), []byte(system.hook()), 0o700)
}

// Inside runs a command in a container of the host, in all of its namespaces.
func (h *Host) Inside(ctx context.Context, name string, command ...string) (string, error) {
	leader, err := h.leader(ctx, name)
	if err != nil {
		return "", err
	}
	output, err := run(ctx, append([]string{"nsenter", "--target", fmt.Sprint(leader), "--all", "--"}, command...)...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return output, fmt.Errorf("run a command in container %q: %w", name, err)
	}
	return output, err
}

// Containers returns the names of the containers that run on the host.
func (h *Host) Containers(ctx context.Context) ([]string, error) {
	text, err := run(ctx, "virsh", "--quiet", "--connect", h.ContainerURI(), "list", "--name")
	return strings.Fields(text), err
}

// leader is the PID of a container's first process: libvirt numbers a container by the process that watches over it.
func (h *Host) leader(ctx context.Context, name string) (int, error) {
	id, err := run(ctx, "virsh", "--quiet", "--connect", h.ContainerURI(), "domid", name)
	if err != nil {
		return 0, err
	}
	id = strings.TrimSpace(id)
	children, err := os.ReadFile(filepath.Join("/proc", id, "task", id, "children"))
	if err != nil {
		return 0, fmt.Errorf("find the first process of container %q: %w", name, err)
	}
	var pid int
	if _, err := fmt.Sscan(string(children), &pid); err != nil {
		return 0, fmt.Errorf("find the first process of container %q: %w", name, err)
	}
	return pid, nil
}
