# What every environment is made of. It differs by its inputs only.

locals {
  web      = { for n in range(1, var.web.machines + 1) : "${var.name}-web-${n}" => n }
  assigned = hypervisor_placement.platform.assignments
}

data "hypervisor_host" "all" {
  for_each = var.hosts
  name     = each.key
}

resource "hypervisor_placement" "platform" {
  hosts    = { for name, host in data.hypervisor_host.all : name => host.facts }
  machines = { for name in keys(local.web) : name => { vcpus = var.web.vcpus, memory = var.web.memory, group = "web" } }
  groups   = { web = { spread = "evenly", survives = "host" } }
}

resource "hypervisor_volume" "image" {
  for_each = var.hosts
  host     = each.key
  name     = "${var.name}-base.qcow2"
  source   = { file = var.image }
}

resource "hypervisor_volume" "root" {
  for_each = local.web
  host     = local.assigned[each.key].host
  name     = "${each.key}.qcow2"
  backing  = hypervisor_volume.image[local.assigned[each.key].host].id
}

resource "hypervisor_vm" "web" {
  for_each     = local.web
  name         = each.key
  placement    = local.assigned[each.key]
  domain_type  = var.domain_type
  memory       = var.web.memory
  allow_change = var.web.allow_change

  disks      = { root = { volume = hypervisor_volume.root[each.key].id } }
  interfaces = { lan = { bridge = "br0" } }

  cloud_init = {
    network = { lan = {
      addresses = ["${cidrhost(var.network, 99 + each.value)}/${split("/", var.network)[1]}"]
      gateway   = cidrhost(var.network, 1)
    } }
  }
}
