terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

# The same libvirt may serve machines (qemu+ssh) and containers (lxc+ssh): they are two hosts here.
provider "hypervisor" {
  hosts = {
    gamma = { uri = "lxc+ssh://root@10.0.0.13/system" }
  }
}

resource "hypervisor_volume" "rootfs" {
  host   = "gamma"
  name   = "rootfs.tar.gz"
  source = { file = "rootfs.tar.gz" }
}

# Unpacked from an archive: what it writes goes with it.
resource "hypervisor_vm" "web" {
  name      = "web-1"
  host      = "gamma"
  memory    = "256MiB"                        # its limit, changed as it runs
  cpu       = { count = 2, emulator = "2-3" } # the time of two CPUs, on any of these
  container = { archive = hypervisor_volume.rootfs.id }

  interfaces = { lan = { bridge = "br0" } }
  cloud_init = { network = { lan = { addresses = ["10.0.0.131/24"], gateway = "10.0.0.1" } } }
}

# In a folder of the host, which stays when the container goes.
resource "hypervisor_vm" "files" {
  name       = "files-1"
  host       = "gamma"
  memory     = "128MiB"
  cpu        = { count = 1 }
  container  = { directory = "/srv/containers/files-1", init = ["/bin/busybox", "httpd", "-f", "-h", "/www"] }
  interfaces = { lan = { bridge = "br0" } }
  cloud_init = { network = { lan = { addresses = ["10.0.0.132/24"], gateway = "10.0.0.1" } } }
}
