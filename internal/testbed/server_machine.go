package testbed

import (
	"fmt"
	"path/filepath"
	"strings"
)

// The server's hardware, which its memory image is of.
const (
	serverCPUs = 4       // half of them on each of two NUMA nodes
	serverNode = 1536    // MiB of each node
	serverDisk = 1 << 30 // bytes of each of the empty disks
)

// serverBoot are the kernel's arguments. Under emulation the clock of the processor is not to be trusted.
const serverBoot = "root=/dev/vda rw console=ttyS0 panic=1 mitigations=off tsc=unstable net.ifnames=0 systemd.show_status=no " +
	"ip=10.0.2.15::10.0.2.2:255.255.255.0:server:eth0:off"

var serverDisks = []string{"b.raw", "c.raw"}

// command is the command line of the server's QEMU. Its network leads nowhere but from two ports of the loopback into the server,
// so that its address is the same in every bed.
func (s *Server) command(accelerator, disk string) []string {
	processor := "host"
	if accelerator == "qemu" {
		accelerator, processor = "tcg,thread=multi", "max"
	}
	argv := []string{
		"qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-accel", accelerator, "-cpu", processor,
		"-smp", fmt.Sprintf("%d,sockets=2,cores=%d,threads=1", serverCPUs, serverCPUs/2), "-m", fmt.Sprint(2 * serverNode),
		"-serial", "file:" + s.path("console"), "-monitor", "unix:" + s.path("monitor") + ",server,wait=off", "-device", "virtio-rng-pci",
		"-netdev", fmt.Sprintf("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:%d-:16509,hostfwd=tcp:127.0.0.1:%d-:22", s.libvirt, s.ssh),
		"-device", "virtio-net-pci,netdev=net",
		"-kernel", s.image.path("kernel"), "-initrd", s.image.path("initrd"), "-append", serverBoot,
	}
	for node := range 2 {
		first := node * serverCPUs / 2
		argv = append(argv,
			"-object", fmt.Sprintf("memory-backend-ram,id=memory%d,size=%dM", node, serverNode),
			"-numa", fmt.Sprintf("node,nodeid=%d,memdev=memory%d,cpus=%d-%d", node, node, first, first+serverCPUs/2-1))
	}
	argv = append(argv, "-drive", fmt.Sprintf("if=virtio,cache=unsafe,format=%s,file=%s", strings.TrimPrefix(filepath.Ext(disk), "."), disk))
	for _, empty := range serverDisks {
		argv = append(argv, "-drive", "if=virtio,cache=unsafe,format=raw,file="+s.path(empty))
	}
	return argv
}
