# A folder of the host, which is made if it is missing. Deleting the pool leaves it, with all that is in it.
resource "hypervisor_pool" "machines" {
  host = "alpha"
  name = "machines"
  type = "dir"
  path = "/var/lib/libvirt/machines"
}

# A folder that another machine exports.
resource "hypervisor_pool" "shared" {
  host   = "alpha"
  name   = "shared"
  type   = "netfs"
  path   = "/var/lib/libvirt/shared"
  source = { host = "10.0.0.2", dir = "/export/machines", format = "nfs" }
}

# A volume group of LVM that the host has.
resource "hypervisor_pool" "fast" {
  host   = "alpha"
  name   = "fast"
  type   = "logical"
  source = { name = "vg0", devices = ["/dev/nvme0n1p3"] }
}
