resource "hypervisor_volume" "debian" {
  host   = "alpha"
  name   = "debian-12.qcow2"
  source = { file = "${path.module}/debian-12-genericcloud-amd64.qcow2" }
}

resource "hypervisor_volume" "root" {
  host    = "alpha"
  name    = "shop-1.qcow2"
  backing = hypervisor_volume.debian.id
  size    = "20GiB"
}

resource "hypervisor_vm" "shop" {
  name   = "shop-1"
  host   = "alpha"
  memory = "4GiB"
  cpu    = { count = 2 }
  disks  = { root = { volume = hypervisor_volume.root.id } }
}

# Taken when this is applied. To go back, give revert a text, such as "the upgrade does not boot", and apply.
resource "hypervisor_snapshot" "before_upgrade" {
  host = hypervisor_vm.shop.host
  vm   = hypervisor_vm.shop.id
  name = "before-upgrade"
}
