package hypervisor_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// TestWhatAKindOfHostCannotHaveIsRefusedWithoutAConnection plans on hosts of which only the URI is known.
func TestWhatAKindOfHostCannotHaveIsRefusedWithoutAConnection(t *testing.T) {
	const (
		head      = "resource \"hypervisor_vm\" \"test\" {\n  name = \"m1\"\n  host = \"alpha\"\n  memory = \"1GiB\"\n"
		container = `container = { directory = "/srv/m1" }`
		disks     = `disks = { root = { volume = "alpha/default/m1" } }`
		one       = `cpu = { count = 1 }`
	)

	for name, test := range map[string]struct{ kind, rest, want string }{
		"disks of a container":      {"lxc", container + "\n" + one + "\n" + disks, `Not for containers ... disks = { root ... has a root file system instead of disks. Say it by container`},
		"pins of a container":       {"lxc+ssh", container + "\ncpu = { pins = [\"1\"] }", `Not for containers ... a container has no vCPUs, so libvirt can hold it to CPUs as a whole only`},
		"seed of a folder":          {"lxc", container + "\n" + one + "\ncloud_init = { user_data = \"#!/bin/sh\" }", `The container is a folder: the seed goes into the container's root file system`},
		"name server of one":        {"lxc", container + "\n" + one + "\ninterfaces = { lan = { bridge = \"br0\" } }\ncloud_init = { network = { lan = { addresses = [\"10.0.0.5/24\"], nameservers = [\"10.0.0.2\"] } } }", `Write /etc/resolv.conf by user_data`},
		"machine type of one":       {"lxc", container + "\n" + one + "\nmachine = \"q35\"", `a container has no hardware`},
		"move of a container":       {"lxc", container + "\n" + one + "\nmigration = {}", `libvirt has no such thing for the machines of this kind of host`},
		"container of nothing":      {"lxc", one, `The host runs containers, which have a root file system instead of disks. Give container`},
		"container in the host's /": {"lxc", one + "\ncontainer = { directory = \"/\" }", `"/" is not the absolute path of a folder other than /`},
		"two root file systems":     {"lxc", one + "\ncontainer = { directory = \"/srv/a\", archive = \"alpha/default/a\" }", `2 attributes specified when one (and only one) of`},
		"init without a path":       {"lxc", one + "\ncontainer = { directory = \"/srv/a\", init = [\"sh\"] }", `It has to be a program by its absolute path`},
		"kvm of a container":        {"lxc", container + "\n" + one + "\ndomain_type = \"kvm\"", `runs containers, whose domain type is lxc, not kvm`},
		"container on QEMU":         {"qemu", container + "\n" + one, `Not for machines on QEMU ... only hosts whose URI begins with lxc run containers`},
		"machine without disks":     {"qemu", one, `The machine has nothing to boot from. Give it disks`},
		"emulator on Xen":           {"xen", disks + "\ncpu = { pins = [\"1\"], emulator = \"0\" }", `the emulator is a process of dom0, which libvirt cannot pin`},
		"PVH on Xen":                {"xen+ssh", disks + "\n" + one + "\nmachine = \"xenpvh\"", `PVH needs a kernel that lies on the host`},
	} {
		t.Run(name, func(t *testing.T) {
			config := strings.Replace(nowhere, "qemu+unix", test.kind, 1) + head + test.rest + "\n}\n"
			run(t, resource.TestStep{Config: config, PlanOnly: true, ExpectError: flexible(test.want)})
		})
	}
}
