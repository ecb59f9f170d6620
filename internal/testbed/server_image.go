package testbed

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

//go:embed files/server/build.sh
var serverRecipe string

// serverBuild is how long it may take to make the image; it takes minutes.
const serverBuild = 40 * time.Minute

// serverImage is the folder with what a server is made of: the disk, the memory of a machine that has booted from it, and keys.
// files/server/build.sh says what else.
type serverImage string

func (i serverImage) path(name string) string { return filepath.Join(string(i), name) }

// openServerImage returns the image, which is built from Debian's packages on first use, in some minutes, and again when its
// recipe, the server's hardware or QEMU changes.
func openServerImage(ctx context.Context, b *Bed) (serverImage, error) {
	if err := needPrograms(map[string]string{
		"mmdebstrap": "mmdebstrap", "mkfs.ext4": "e2fsprogs", "ssh": "openssh-client", "ssh-keygen": "openssh-client",
	}); err != nil {
		return "", err
	}
	accelerator, err := DomainType(ctx)
	if err != nil {
		return "", err
	}
	emulator, err := run(ctx, "qemu-system-x86_64", "--version")
	if err != nil {
		return "", err
	}
	hardware := (&Server{bed: &Bed{}}).command(accelerator, "disk.raw")
	name := digest(append(hardware, serverRecipe, serverWarmUp, emulator)...)
	folder, err := cached(ctx, "server", name, func(ctx context.Context, path string) error {
		ctx, cancel := context.WithTimeout(ctx, serverBuild)
		defer cancel()
		began := time.Now()
		b.logf("building Debian as a host, once for this machine")
		if err := errors.Join(os.Mkdir(path, 0o700), buildServer(ctx, serverImage(path))); err != nil {
			return err
		}
		b.logf("Debian is built and has booted after %.0f s", time.Since(began).Seconds())
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("build Debian as a host: %w", err)
	}
	return serverImage(folder), nil
}

// buildServer makes the image's files.
func buildServer(ctx context.Context, image serverImage) error {
	// What mmdebstrap mounts goes with its namespace, also if it is killed.
	if _, err := feed(ctx, serverRecipe, "unshare", "--mount", "bash", "-s", string(image)); err != nil {
		return err
	}
	bed, err := Open(ctx, Options{})
	if err != nil {
		return err
	}
	return errors.Join(bootServer(ctx, bed, image), bed.Close()) //nolint:contextcheck // it has a limit of its own
}

// serverWarmUp does what a host does when it is first used: libvirt asks QEMU for its abilities, which it writes down, and the kernel
// loads what is used later.
const serverWarmUp = `
virsh capabilities
virsh domcapabilities
virsh pool-list
systemctl is-active libvirtd nfs-server openvswitch-switch
modprobe --all dm_mod nfs openvswitch tun
sync
`

// bootServer boots from the image's disk and takes the memory when all is up.
func bootServer(ctx context.Context, bed *Bed, image serverImage) error {
	server, err := bed.newServer(image)
	if err != nil {
		return err
	}
	if err := server.start(ctx, serverBuild, image.path("disk.raw")); err != nil {
		return err
	}
	if _, err := server.Run(ctx, "systemctl is-system-running --wait"); err != nil {
		return err
	}
	if _, err := server.Run(ctx, serverWarmUp); err != nil {
		return err
	}
	return server.freeze(ctx, image.path("memory"))
}

// freeze writes the server's memory to a file and ends it, so that it can go on from there and from its disk as it is then.
func (s *Server) freeze(ctx context.Context, path string) error {
	monitor, err := (&net.Dialer{}).DialContext(ctx, "unix", s.path("monitor"))
	if err != nil {
		return fmt.Errorf("freeze the server: %w", err)
	}
	defer monitor.Close()
	// Each command ends before the next one begins.
	if _, err := fmt.Fprintf(monitor, "migrate_set_parameter max-bandwidth 10G\nmigrate \"exec:cat >%s\"\ninfo migrate\nquit\n", path); err != nil {
		return fmt.Errorf("freeze the server: %w", err)
	}
	said, err := io.ReadAll(monitor)
	if err != nil {
		return fmt.Errorf("freeze the server: %w", err)
	}
	<-s.machine.gone
	if !strings.Contains(string(said), "Migration status: completed") {
		return fmt.Errorf("freeze the server: QEMU says %q", said)
	}
	return nil
}
