# The image is uploaded once to each host. Another release has another name, and the old one goes last, when no machine's disk
# stands on it any more.
resource "hypervisor_volume" "image" {
  for_each = var.hosts

  host   = each.key
  pool   = var.pool
  name   = "${var.name}-${var.release}.${local.suffix}"
  sha256 = var.sha256
  source = var.url == null ? { file = var.file } : { url = var.url, checksum = var.checksum }
  format = var.kind == "archive" ? "raw" : null

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  suffix = { disk = "qcow2", archive = "tar" }[var.kind]
}
