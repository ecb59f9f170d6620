package testbed

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
)

// libvirtLXC is the program that runs a container.
const libvirtLXC = "/usr/lib/libvirt/libvirt_lxc"

// memory is the memory controller's hierarchy of a host with containers: libvirt runs none without it.
func (o HostOptions) memory() (*hierarchy, error) {
	if !o.Containers {
		return nil, nil
	}
	if err := needPrograms(map[string]string{libvirtLXC: "libvirt-daemon-driver-lxc"}); err != nil {
		return nil, err
	}
	found, version1, err := findMemory()
	if err != nil || !version1 {
		return nil, err
	}
	return &found, nil
}

// ContainerURI returns the address of the host's libvirt for containers. The same libvirtd serves it.
func (h *Host) ContainerURI() string { return strings.Replace(h.URI(), "qemu+", "lxc+", 1) }

// containerInit is the first process of a container. It ends on the signal that libvirt stops containers with.
const containerInit = `#!/bin/sh
trap 'exit 0' TERM
hostname "$LIBVIRT_LXC_NAME"
[ -e /www/index.html ] || hostname >/www/index.html
httpd -p 80 -h /www
echo CONTAINER-READY "$LIBVIRT_LXC_NAME"
while :; do
	sleep 3600 &
	wait $!
done
`

// Archive returns the path of a tar archive with a container's root file system of a megabyte, compressed by gzip. Its
// /sbin/init serves /www by HTTP on port 80; unless there is something already, that is the container's name.
func Archive(ctx context.Context) (string, error) {
	if err := needPrograms(map[string]string{busybox: "busybox-static"}); err != nil {
		return "", err
	}
	shell, err := os.ReadFile(busybox)
	if err != nil {
		return "", fmt.Errorf("make a container's archive: %w", err)
	}
	name := "container-" + digest(containerInit, string(shell)) + ".tar.gz"
	return cached(ctx, "image", name, func(_ context.Context, path string) error {
		if err := writeArchive(path, shell); err != nil {
			return fmt.Errorf("make a container's archive: %w", err)
		}
		return nil
	})
}

func writeArchive(path string, shell []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	compressed := gzip.NewWriter(file)
	archive := tar.NewWriter(compressed)

	entries := []tar.Header{
		{Name: "bin/busybox", Mode: 0o755, Size: int64(len(shell))},
		{Name: "sbin/init", Mode: 0o755, Size: int64(len(containerInit))},
	}
	for _, folder := range []string{"bin", "dev", "etc", "proc", "sbin", "sys", "tmp", "www"} {
		entries = append([]tar.Header{{Name: folder + "/", Mode: 0o755, Typeflag: tar.TypeDir}}, entries...)
	}
	for _, applet := range []string{"sh", "hostname", "httpd", "sleep", "ls", "cat"} {
		entries = append(entries, tar.Header{Name: "bin/" + applet, Linkname: "busybox", Mode: 0o777, Typeflag: tar.TypeSymlink})
	}
	contents := map[string][]byte{"bin/busybox": shell, "sbin/init": []byte(containerInit)}
	for _, entry := range entries {
		if err := archive.WriteHeader(&entry); err != nil {
			return err
		}
		if _, err := archive.Write(contents[entry.Name]); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	if err := compressed.Close(); err != nil {
		return err
	}
	return file.Close()
}

// ArchiveFor is Archive for a test.
func ArchiveFor(t testing.TB) string {
	t.Helper()
	return must(t, Archive)
}
