terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "uris" { type = map(string) }
variable "archive" { type = string }
variable "subnet" { type = string }
variable "web_machines" { type = number }
variable "sizes" {
  type    = map(object({ vcpus = number, memory = string }))
  default = {}
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
  source = "./modules/hundred-billion-gmv"

  tiers = {
    gateway       = { machines = 2, vcpus = 1, memory_gib = 1 }
    web           = { machines = 3, vcpus = 1, memory_gib = 2 }
    mysql         = { machines = 2, vcpus = 1, memory_gib = 1 }
    redis         = { machines = 6, vcpus = 1, memory_gib = 0.5 }
    elasticsearch = { machines = 0, vcpus = 1, memory_gib = 2 } # Debian has no package of it
    consul        = { machines = 3, vcpus = 1, memory_gib = 1 }
  }
  web_machines = var.web_machines
  sizes        = var.sizes

  hosts   = { for name in keys(var.uris) : name => { nodes = [{ memory = "64GiB", cores = [for core in range(32) : tostring(core)] }] } }
  address = "${var.subnet}.100/24"
  network = {
    bridge  = "br0"
    cidr    = "${var.subnet}.0/24"
    gateway = "${var.subnet}.1"
    first   = { gateway = 101, consul = 111, mysql = 121, redis = 131, web = 151 }
  }
  image          = { kind = "archive", volumes = { for name in keys(var.uris) : name => hypervisor_volume.image[name].id } }
  gateway        = { https = { enabled = false } }
  web            = { files = local.pages }
  databases      = { shop = 1 }
  database_users = { shop = { database = "shop" } }
  elasticsearch  = { security = false }
  secrets        = var.secrets
}

locals {
  # A page, and one that takes an order: it counts in Redis and writes to MySQL, both found by their names.
  pages = {
    "/var/www/html/page.php"  = "<?php echo gethostname();"
    "/var/www/html/order.php" = file("${path.module}/order.php")
  }
}

output "machines" {
  value = module.platform.machines
}

output "redis" {
  value = module.platform.rto_estimate.redis
}
