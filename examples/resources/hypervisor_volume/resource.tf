# An image, uploaded once. With sha256 as well, every other file is refused.
resource "hypervisor_volume" "debian" {
  host   = "alpha"
  name   = "debian-12.qcow2"
  source = { file = "${path.module}/debian-12-genericcloud-amd64.qcow2" }
}

# An overlay: a machine's root disk, which begins as the image and stores what differs.
resource "hypervisor_volume" "root" {
  host    = "alpha"
  name    = "web-1.qcow2"
  backing = hypervisor_volume.debian.id
  size    = "20GiB"
}

# An empty volume. A larger size grows it in place, on a running machine too.
resource "hypervisor_volume" "data" {
  host   = "alpha"
  pool   = "default"
  name   = "web-1-data.raw"
  format = "raw"
  size   = "1GiB"
}
