package testbed

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// libvirtdConf renders libvirtd.conf. Without DMI data all hosts of a machine would have the same UUID, and libvirt
// refuses to migrate "to the same host"; the limits are raised since tests work with many connections at once.
func libvirtdConf(address, uuid string) string {
	return fmt.Sprintf(`listen_tls = 0
listen_tcp = 1
listen_addr = "%s"
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
unix_sock_dir = "/run/libvirt"
host_uuid = "%s"
max_clients = 200
max_workers = 40
max_client_requests = 20
max_anonymous_clients = 100
log_level = 3
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
`, address, uuid)
}

// qemuConf renders qemu.conf. There is no virtlogd, hence stdio_handler. On made-up hardware cpuset is left out of the
// controllers: the kernel refuses CPUs that it does not have, and the shim sees only calls.
func qemuConf(address string, madeUp bool) string {
	text := fmt.Sprintf(`user = "root"
group = "root"
dynamic_ownership = 1
remember_owner = 0
security_driver = "none"
security_default_confined = 0
namespaces = []
stdio_handler = "file"
migration_address = "0.0.0.0"
migration_host = "%s"
hugetlbfs_mount = "/var/lib/libvirt/hugepages"
`, address)
	if madeUp {
		text += `cgroup_controllers = [ "cpu", "cpuacct", "memory", "devices", "freezer", "blkio" ]` + "\n"
	}
	return text
}

// nsswitchConf lets names be resolved from /etc/hosts alone.
func nsswitchConf(machine string) string {
	return regexp.MustCompile(`(?m)^hosts:.*$`).ReplaceAllString(machine, "hosts: files")
}

// cgroupList tells host.sh the hierarchies: "controllers folder" a line, "-" for version 2.
func (g groups) list(group string) string {
	var text strings.Builder
	for _, h := range g {
		controllers := h.Controllers
		if controllers == "" {
			controllers = "-"
		}
		fmt.Fprintln(&text, controllers, filepath.Join(h.Folder, group))
	}
	return text.String()
}

// writeFolders makes the folders that a host sees as its own.
func (h *Host) writeFolders() error {
	for _, folder := range []string{
		"etc/qemu", "cache/qemu/capabilities", "log",
		"lib/images", "lib/hugepages", "run/libvirt", "run/lock", "run/affinity",
	} {
		if err := os.MkdirAll(h.path(folder), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// copyFilters gives the host the network filters that libvirt's package brings.
func (h *Host) copyFilters() error {
	filters := "/etc/libvirt/nwfilter"
	if _, err := os.Stat(filters); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.CopyFS(h.path("etc/nwfilter"), os.DirFS(filters)); err != nil {
		return fmt.Errorf("copy libvirt's network filters: %w", err)
	}
	return nil
}

// writeFiles writes everything host.sh reads.
func (h *Host) writeFiles(accelerator string) error {
	nsswitch, err := os.ReadFile("/etc/nsswitch.conf")
	if err != nil {
		return err
	}
	files := map[string]string{
		"etc/libvirtd.conf": libvirtdConf(h.Address(), newUUID()),
		"etc/qemu.conf":     qemuConf(h.Address(), h.record.Topology != nil),
		"hostname":          h.record.Name + "\n",
		"nsswitch.conf":     nsswitchConf(string(nsswitch)),
		"cgroups":           h.groups().list(h.group()),
		"host.sh":           hostScript,
	}
	if accelerator != "kvm" {
		// Where KVM does not work, libvirt must not find it, as on a machine without it.
		files["without-kvm"] = ""
	}
	for name, text := range files {
		if err := os.WriteFile(h.path(name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// newUUID returns a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
