package modules_test

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

//go:embed testdata/containers.tf
var containers string

// confined runs the rest of the command line as the first process of a machine of its own, as far as a container engine goes: with its name,
// with processes that end with it, and with what it writes below /etc, /run and /opt kept in a folder. What it was told is in /etc.
const confined = `set -eu
hostname "$1"
mkdir -p "$2/upper" "$2/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$2/upper,workdir=$2/work" /etc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /opt
cp -r "$2/etc/." /etc
PATH="$3/usr/bin:$3/usr/sbin:$PATH"
shift 3
exec "$@"
`

// engine starts a container engine on the machine, whose containers are in the cgroup, and ends both when the test does.
func (m *machine) engine(t *testing.T, programs, cgroup string, argv ...string) {
	t.Helper()

	server := m.start(t, append([]string{
		"unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc", "sh", "-c", confined, "sh", m.name, m.folder, programs,
	}, argv...)...)

	t.Cleanup(func() {
		server.Kill()
		removeCgroups(t, cgroup)
	})
}

// TestDockerEngineBeginsASwarmFromWhatItsMachineIsTold starts a real engine, begins a swarm as the module's README says, and has
// a service run that asks for its copies to be spread over hosts.
func TestDockerEngineBeginsASwarmFromWhatItsMachineIsTold(t *testing.T) {
	programs, told := engines(t), render(t, containers, map[string]any{})
	m := newLAN(t).add(t, "docker-1", "10.0.0.91", told["docker-1"])
	m.engine(t, programs, m.namespace, "dockerd", "--data-root="+m.path("data"), "--host=unix://"+m.path("socket"), "--cgroup-parent=/"+m.namespace)

	docker := func(arguments ...string) (string, error) {
		printed, err := m.run(t, append([]string{filepath.Join(programs, "usr/bin/docker"), "--host=unix://" + m.path("socket")}, arguments...)...)
		if err != nil {
			err = fmt.Errorf("docker %v: %w: %s", arguments, err, printed)
		}

		return printed, err
	}

	eventually(t, func() error {
		printed, err := docker("info", "--format", "{{.LoggingDriver}}, live restore {{.LiveRestoreEnabled}}, {{index .Labels 0}}")
		if want := "local, live restore false, host=alpha"; err == nil && printed != want {
			t.Fatalf("The engine says %q of itself, want %q", printed, want)
		}

		return err
	})

	for _, arguments := range [][]string{
		{"swarm", "init", "--advertise-addr", "10.0.0.91"},
		{"import", testbed.ArchiveFor(t), "tiny"},
		{
			"service", "create", "--detach", "--no-resolve-image", "--name=web", "--network=host", "--replicas=2",
			"--placement-pref=spread=engine.labels.host", "tiny", "/bin/busybox", "sleep", "1000",
		},
	} {
		if _, err := docker(arguments...); err != nil {
			t.Fatal(err)
		}
	}

	eventually(t, func() error {
		printed, err := docker("service", "ps", "--filter=desired-state=running", "--format={{.Node}} {{.CurrentState}}", "web")
		if err == nil && strings.Count(printed, "docker-1 Running ") != 2 {
			err = fmt.Errorf("the copies of the service are\n%s", printed)
		}

		return err
	})
}

// TestContainerdStartsFromWhatANodeIsTold wants the plugin that a kubelet talks to, with the settings that kubeadm asks for.
func TestContainerdStartsFromWhatANodeIsTold(t *testing.T) {
	programs, told := engines(t), render(t, containers, map[string]any{})
	m := newLAN(t).add(t, "node-1", "10.0.0.94", told["node-1"])
	m.engine(t, programs, m.namespace, "containerd", "--root="+m.path("data"), "--address="+m.path("socket"))

	eventually(t, func() error {
		printed, err := m.run(t, filepath.Join(programs, "usr/bin/ctr"), "--address="+m.path("socket"), "plugins", "ls")
		if err != nil {
			return fmt.Errorf("%w: %s", err, printed)
		}

		for line := range strings.Lines(printed) {
			if words := strings.Fields(line); len(words) == 4 && words[0] == "io.containerd.grpc.v1" && words[1] == "cri" && words[3] == "ok" {
				return nil
			}
		}

		return fmt.Errorf("the plugin is not there:\n%s", printed)
	})

	settings, err := m.run(t, filepath.Join(programs, "usr/bin/containerd"), "--config="+m.path("etc/containerd/config.toml"), "config", "dump")
	if err != nil || !strings.Contains(settings, "SystemdCgroup = true") || !strings.Contains(settings, `sandbox_image = "registry.example.com/pause:3.9"`) {
		t.Errorf("containerd takes its configuration for (%v)\n%s", err, settings)
	}
}

// engines is the folder with the container engines that Debian has.
func engines(t *testing.T) string {
	t.Helper()

	folder, err := testbed.Unpacked(t.Context(), "containerd", "runc", "docker.io")
	if err != nil {
		t.Fatal(err)
	}

	return folder
}

// removeCgroups removes what an engine that was killed leaves in each hierarchy.
func removeCgroups(t *testing.T, name string) {
	t.Helper()

	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		tops, err := filepath.Glob(pattern + name)
		if err != nil {
			t.Fatal(err)
		}

		for _, top := range tops {
			var folders []string

			_ = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error { // what is gone is gone
				if err == nil && entry.IsDir() {
					folders = append(folders, path)
				}

				return nil
			})

			for _, folder := range slices.Backward(folders) {
				eventually(t, func() error { // its last process may still be ending
					if err := os.Remove(folder); !errors.Is(err, fs.ErrNotExist) {
						return err
					}

					return nil
				})
			}
		}
	}
}
