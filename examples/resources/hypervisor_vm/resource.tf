resource "hypervisor_volume" "debian" {
  host   = "alpha"
  name   = "debian-12.qcow2"
  source = { file = "${path.module}/debian-12-genericcloud-amd64.qcow2" }
}

resource "hypervisor_volume" "root" {
  host    = "alpha"
  name    = "web-1.qcow2"
  backing = hypervisor_volume.debian.id
  size    = "20GiB"
}

# Two vCPUs on the two threads of one core, which no other machine may use; QEMU's own threads on another core.
resource "hypervisor_vm" "web" {
  name   = "web-1"
  host   = "alpha"
  memory = "4GiB"
  cpu    = { pins = ["2", "34"], emulator = "0,32" }

  disks      = { root = { volume = hypervisor_volume.root.id } }
  interfaces = { lan = { bridge = "br0" } }

  cloud_init = {
    user_data = <<-EOT
      #cloud-config
      packages: [nginx]
    EOT
    network = {
      lan = { addresses = ["10.0.0.101/24"], gateway = "10.0.0.1", nameservers = ["10.0.0.1"] }
    }
  }

  wait_for         = { tcp = "10.0.0.101:80" }
  shutdown_timeout = "1m"
}
