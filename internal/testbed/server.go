package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// serverResume is how long the server may take to go on from where its image was taken; on an idle machine it is seconds.
const serverResume = 5 * time.Minute

// Server is a libvirt host with a kernel of its own: Debian in a virtual machine. It has what a Host cannot have, which shares
// this machine's kernel: device-mapper, NFS, Open vSwitch, two NUMA nodes with huge pages, and cgroup v2. Two disks of 1 GiB,
// /dev/vdb and /dev/vdc, are empty. What runs on it is emulated by an emulated machine, unless this one has KVM.
//
// It does not boot but goes on from a memory image, which is taken once for this machine: a boot takes a minute on an idle machine
// without KVM, and five on a busy one.
type Server struct {
	bed     *Bed
	image   serverImage
	machine *daemon
	libvirt int // port of the loopback
	ssh     int // port of the loopback
}

// StartServer starts the bed's server, of which it has one at most, and returns when its libvirtd answers.
func (b *Bed) StartServer(ctx context.Context) (*Server, error) {
	image, err := openServerImage(ctx, b)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	server, err := b.newServer(image)
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	disk := server.path("root.qcow2")
	if _, err := run(ctx, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", image.path("disk.raw"), disk); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	if err := server.start(ctx, serverResume, disk, "-incoming", "exec:cat "+image.path("memory")); err != nil {
		return nil, err
	}
	// Its clock stood still meanwhile.
	if _, err := server.Run(ctx, fmt.Sprintf("date --set=@%d", time.Now().Unix())); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	b.logf("the server is up after %.1f s", time.Since(began).Seconds())
	return server, nil
}

// newServer makes the server's folder with its empty disks.
func (b *Bed) newServer(image serverImage) (*Server, error) {
	server := &Server{bed: b, image: image}
	if err := os.Mkdir(server.path(""), 0o700); err != nil {
		return nil, err
	}
	for _, disk := range serverDisks {
		path := server.path(disk)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, serverDisk)); err != nil {
			return nil, err
		}
	}
	return server, nil
}

// start runs the server's QEMU with these further arguments, and waits until libvirtd and a shell answer.
func (s *Server) start(ctx context.Context, limit time.Duration, disk string, arguments ...string) error {
	accelerator, err := DomainType(ctx)
	if err != nil {
		return err
	}
	err = s.bed.serveFor(ctx, limit, 2, func(ports []int) (*daemon, error) {
		s.libvirt, s.ssh = ports[0], ports[1]
		var failure error
		s.machine, failure = s.bed.spawn("the server", s.path("qemu.log"), append(s.command(accelerator, disk), arguments...)...)
		return s.machine, failure
	}, func(ctx context.Context) error {
		_, err := run(ctx, "virsh", "--quiet", "--connect", s.URI(), "version", "--daemon")
		return err
	})
	if err != nil {
		return fmt.Errorf("%w; the end of its console:\n%s", err, tail(s.path("console"), 15))
	}
	if err := s.openShell(ctx, limit); err != nil {
		return fmt.Errorf("reach the server by SSH: %w", err)
	}
	return nil
}

// openShell logs in once for all that Run runs: a login costs an emulated server seconds.
func (s *Server) openShell(ctx context.Context, limit time.Duration) error {
	settings := fmt.Sprintf(`Host *
HostName 127.0.0.1
Port %d
HostKeyAlias server
User root
IdentityFile %s
IdentitiesOnly yes
UserKnownHostsFile %s
GlobalKnownHostsFile none
BatchMode yes
ControlPath %s
`, s.ssh, s.image.path("key"), s.image.path("known_hosts"), s.path("shell"))
	if err := os.WriteFile(s.path("ssh_config"), []byte(settings), 0o600); err != nil {
		return err
	}
	shell, err := s.bed.spawn("the server's shell", s.path("ssh.log"), "ssh", "-F", s.path("ssh_config"), "-M", "-N", "server")
	if err != nil {
		return err
	}
	return shell.ready(ctx, limit, func(ctx context.Context) error {
		_, err := run(ctx, "ssh", "-F", s.path("ssh_config"), "-O", "check", "server")
		return err
	})
}

// Run has a shell of the server run a script, as root, and returns what it printed.
func (s *Server) Run(ctx context.Context, script string) (string, error) {
	// The script's commands read nothing, lest they read the script.
	output, err := feed(ctx, script, "ssh", "-F", s.path("ssh_config"), "server", "bash -eu -o pipefail /dev/fd/3 3<&0 </dev/null")
	return strings.TrimSpace(output), err
}

// URI returns the address of the server's libvirt for a client on this machine.
func (s *Server) URI() string { return fmt.Sprintf("qemu+tcp://127.0.0.1:%d/system", s.libvirt) }

func (s *Server) path(name string) string { return filepath.Join(s.bed.Folder(), "server", name) }
