package testbed

import (
	"cmp"
	"compress/gzip"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed files/appliance
var applianceFiles embed.FS

// applianceModules are the drivers and file systems of the guest, without those they depend on.
var applianceModules = []string{
	"virtio_pci", "virtio_blk", "virtio_net", "virtio_balloon", "evdev", "button",
	"vfat", "nls_cp437", "nls_iso8859-1", "nls_ascii", "isofs",
}

// applianceTree places each embedded file in the guest.
var applianceTree = map[string]string{
	"inittab": "etc/inittab", "boot": "etc/boot", "seed": "etc/seed", "online": "etc/online", "lease": "etc/lease",
	"yaml.awk": "etc/yaml.awk", "power": "etc/acpi/PWRF/00000080",
}

const (
	applianceSize = 24 << 20 // bytes of the disk, more than twice of what is on it
	bootLabel     = "BOOT"
	busybox       = "/bin/busybox"
)

// bootConfig makes the guest boot fast under emulation: its TSC is not to be trusted there, and neither the defences
// against other tenants nor a random kernel address are worth their time.
const bootConfig = `SERIAL 0 115200
DEFAULT appliance
PROMPT 0
TIMEOUT 0
LABEL appliance
 KERNEL vmlinuz
 INITRD initrd
 APPEND console=ttyS0 quiet tsc=unstable panic=1 mitigations=off nokaslr memhp_default_state=online
`

// Image returns the path of the guest's disk image, a qcow2 file of about 16 MB that serves as the base of overlays.
// It is built on first use, in a few seconds, and again when its recipe or Debian's kernel changes.
//
// The guest boots by BIOS, needs 128 MiB of memory, and applies a NoCloud seed on a block device labelled "cidata" as
// cloud-init would (files/appliance/seed says which parts). It starts no server by itself; user data may start
// busybox httpd. It writes "APPLIANCE-READY hostname uptime=seconds" to the serial console, obeys the power button,
// and takes CPUs and memory into use as they are plugged in. Its disk is not mounted: what it writes is lost.
func Image(ctx context.Context) (string, error) {
	if err := needPrograms(map[string]string{
		"qemu-img": "qemu-utils", "cpio": "cpio", "modprobe": "kmod", "mkfs.vfat": "dosfstools", "mcopy": "mtools",
		"syslinux": "syslinux", busybox: "busybox-static",
	}); err != nil {
		return "", err
	}
	kernel, err := findKernel("/boot")
	if err != nil {
		return "", err
	}
	name, err := applianceName(kernel)
	if err != nil {
		return "", err
	}
	return cached(ctx, "image", name, func(ctx context.Context, path string) error {
		fmt.Fprintln(os.Stderr, "building the guest image, once for this machine")
		if err := buildImage(ctx, kernel, path); err != nil {
			return fmt.Errorf("build the guest image: %w", err)
		}
		return nil
	})
}

// findKernel returns Debian's newest cloud kernel. It may differ from the kernel that runs here, which need not be
// Debian's at all.
func findKernel(folder string) (string, error) {
	kernels, err := filepath.Glob(filepath.Join(folder, "vmlinuz-*-cloud-amd64"))
	if err != nil {
		return "", err
	}
	if len(kernels) == 0 {
		return "", errors.New("the guest image needs a kernel: apt-get install --no-install-recommends linux-image-cloud-amd64")
	}
	return slices.MaxFunc(kernels, compareVersions), nil
}

// compareVersions orders names by the numbers in them: 6.1.0-9 comes before 6.1.0-10.
func compareVersions(a, b string) int {
	split := func(r rune) bool { return r < '0' || r > '9' }
	numbers := func(name string) []string { return strings.FieldsFunc(filepath.Base(name), split) }
	return slices.CompareFunc(numbers(a), numbers(b), func(x, y string) int {
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	})
}

// applianceName names the image by everything it is made of.
func applianceName(kernel string) (string, error) {
	parts := []string{bootConfig, strings.Join(applianceModules, " "), fmt.Sprint(applianceTree)}
	for _, file := range []string{kernel, busybox} {
		info, err := os.Stat(file)
		if err != nil {
			return "", fmt.Errorf("name the guest image: %w", err)
		}
		parts = append(parts, fmt.Sprint(file, info.Size(), info.ModTime()))
	}
	err := fs.WalkDir(applianceFiles, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := applianceFiles.ReadFile(path)
		parts = append(parts, path, string(content))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("name the guest image: %w", err)
	}
	return "appliance-" + digest(parts...) + ".qcow2", nil
}

func buildImage(ctx context.Context, kernel, image string) error {
	work, err := os.MkdirTemp("", "hypervisor-image-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	root := filepath.Join(work, "root")
	if err := writeRoot(ctx, kernel, root); err != nil {
		return err
	}
	initrd := filepath.Join(work, "initrd")
	if err := pack(ctx, root, initrd); err != nil {
		return err
	}
	config := filepath.Join(work, "syslinux.cfg")
	if err := os.WriteFile(config, []byte(bootConfig), 0o600); err != nil {
		return err
	}
	disk := filepath.Join(work, "disk")
	if err := os.WriteFile(disk, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(disk, applianceSize); err != nil {
		return err
	}
	for _, step := range [][]string{
		{"mkfs.vfat", "-n", bootLabel, disk},
		{"syslinux", "--install", disk},
		{"mcopy", "-i", disk, config, "::syslinux.cfg"},
		{"mcopy", "-i", disk, kernel, "::vmlinuz"},
		{"mcopy", "-i", disk, initrd, "::initrd"},
		{"qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", disk, image},
	} {
		if _, err := run(ctx, step...); err != nil {
			return err
		}
	}
	return nil
}

// writeRoot lays out the guest's root file system.
func writeRoot(ctx context.Context, kernel, root string) error {
	for _, folder := range []string{
		"bin", "dev", "etc/acpi/PWRF", "lib/modules", "mnt", "proc", "root", "run", "sys", "tmp", "usr", "var", "www/cgi-bin",
	} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{"etc/passwd": "root::0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n"}
	for source, target := range applianceTree {
		content, err := applianceFiles.ReadFile(path.Join("files/appliance", source))
		if err != nil {
			return err
		}
		files[target] = string(content)
	}
	for target, text := range files {
		if err := os.WriteFile(filepath.Join(root, target), []byte(text), 0o755); err != nil {
			return err
		}
	}
	if err := copyBusybox(ctx, root); err != nil {
		return err
	}
	return copyModules(ctx, kernel, root)
}

// copyBusybox copies the one program of the guest and links its applets, which is faster here than in the guest.
func copyBusybox(ctx context.Context, root string) error {
	program, err := os.ReadFile(busybox)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "bin/busybox"), program, 0o755); err != nil {
		return err
	}
	applets, err := run(ctx, busybox, "--list")
	if err != nil {
		return err
	}
	links := map[string]string{
		"init": "bin/busybox", "sbin": "bin", "usr/bin": "../bin", "usr/sbin": "../bin", "var/run": "../run", "var/tmp": "../tmp",
	}
	for applet := range strings.FieldsSeq(applets) {
		if applet != "busybox" {
			links["bin/"+applet] = "busybox"
		}
	}
	for link, target := range links {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			return err
		}
	}
	return nil
}

// copyModules copies kernel modules and writes down the order to load them in.
func copyModules(ctx context.Context, kernel, root string) error {
	release := strings.TrimPrefix(filepath.Base(kernel), "vmlinuz-")
	listed, err := run(ctx, append([]string{"modprobe", "--set-version", release, "--show-depends", "--all"}, applianceModules...)...)
	if err != nil {
		return err
	}
	var order []string
	for line := range strings.Lines(listed) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "insmod" {
			continue // built into the kernel
		}
		module := strings.TrimSuffix(filepath.Base(fields[1]), ".ko")
		if slices.Contains(order, module) {
			continue
		}
		content, err := os.ReadFile(fields[1])
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, "lib/modules", module+".ko"), content, 0o644); err != nil {
			return err
		}
		order = append(order, module)
	}
	return os.WriteFile(filepath.Join(root, "lib/modules/order"), []byte(strings.Join(order, "\n")+"\n"), 0o644)
}

// pack writes a folder as a compressed cpio archive, the format of an initial RAM disk.
func pack(ctx context.Context, root, archive string) error {
	var names strings.Builder
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, path)
		fmt.Fprintln(&names, below)
		return err
	})
	if err != nil {
		return err
	}
	content, err := feed(ctx, names.String(), "cpio", "--directory", root, "--create", "--format=newc", "--owner=0:0", "--quiet")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(archive, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	compressed, err := gzip.NewWriterLevel(file, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := compressed.Write([]byte(content)); err != nil {
		return err
	}
	return errors.Join(compressed.Close(), file.Close())
}
