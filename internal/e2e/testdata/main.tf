terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "uris" { type = map(string) }
variable "archive" { type = string }
variable "subnet" { type = string }
variable "advert_interval" {
  type    = string
  default = "300ms" # the module's own
}
variable "detection" {
  type    = map(string)
  default = {}
}
variable "maintenance" {
  type    = string
  default = null
}
variable "secrets" {
  type      = any
  ephemeral = true
}
provider "hypervisor" {
  hosts = { for name, uri in var.uris : name => { uri = uri } }
}

resource "hypervisor_volume" "image" {
  for_each = var.uris
  host     = each.key
  name     = "debian-12.tar"
  source   = { file = var.archive }
}

module "platform" {
  source  = "./modules/two-host-ha"
  hosts   = ["alpha", "beta"]
  witness = "gamma"
  address = "${var.subnet}.100/24"
  network = local.network
  image   = local.image
  secrets = var.secrets

  detection   = var.detection
  maintenance = var.maintenance

  facts = { for name in keys(var.uris) : name => { nodes = [{ memory = "64GiB", cores = [for core in range(32) : tostring(core)] }] } }

  gateway = { vcpus = 1, memory = "1GiB", https = { enabled = false }, vrrp = { advert_interval = var.advert_interval } }
  consul  = { vcpus = 1, memory = "1GiB" }
  mysql   = { vcpus = 1, memory = "1GiB", databases = ["shop"], users = { shop = { database = "shop" } } }
  redis   = { vcpus = 1, memory = "512MiB" }
  web     = { vcpus = 1, memory = "4GiB", files = local.pages, apache = { worker_memory = "32MiB" } }
}

locals {
  # A page, and one that reads and writes the database as a shop does: the writer is found by its name, and nobody waits for long.
  pages = {
    "/var/www/html/page.php"  = "<?php echo gethostname();"
    "/var/www/html/order.php" = file("${path.module}/order.php")
  }

  network = { bridge = "br0", gateway = "${var.subnet}.1" }
  image   = { kind = "archive", volumes = { for name in keys(var.uris) : name => hypervisor_volume.image[name].id } }
}

output "rto_estimate" {
  value = module.platform.rto_estimate
}
