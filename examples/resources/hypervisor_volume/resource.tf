# An image, uploaded once. With sha256 as well, every other file is refused.
resource "hypervisor_volume" "debian" {
  host   = "alpha"
  name   = "debian-12.qcow2"
  source = { file = "${path.module}/debian-12-genericcloud-amd64.qcow2" }
}

# An image from the web. A plan downloads nothing: the checksum says whether it is another one.
resource "hypervisor_volume" "ubuntu" {
  host = "alpha"
  name = "ubuntu-24.04.img"
  source = {
    url      = "https://images.example.com/ubuntu-24.04-server-cloudimg-amd64.img"
    checksum = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }
}

# An overlay: a machine's root disk, which begins as the image and stores what differs.
resource "hypervisor_volume" "root" {
  host    = "alpha"
  name    = "web-1.qcow2"
  backing = hypervisor_volume.debian.id
  size    = "20GiB"
}

# An empty volume. A larger size grows it in place, on a running machine too. Once something was written to it, a plan
# that would delete or replace it is refused.
resource "hypervisor_volume" "data" {
  host   = "alpha"
  pool   = "default"
  name   = "web-1-data.raw"
  format = "raw"
  size   = "1GiB"
}
