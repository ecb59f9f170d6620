data "hypervisor_host" "all" {
  for_each = toset(["alpha", "beta"])
  name     = each.key
}

locals {
  machines = {
    db-1  = { vcpus = 8, memory = "32GiB", group = "db" }
    db-2  = { vcpus = 8, memory = "32GiB", group = "db" }
    web-1 = { vcpus = 2, memory = "4GiB", group = "web" }
    web-2 = { vcpus = 2, memory = "4GiB", group = "web" }
    web-3 = { vcpus = 2, memory = "4GiB", group = "web" }
  }
}

resource "hypervisor_placement" "shop" {
  hosts    = { for name, host in data.hypervisor_host.all : name => host.facts }
  machines = local.machines

  groups = {
    db  = { spread = "hosts" }
    web = { spread = "evenly", survives = "host" } # whichever host is lost, the other has room for all of them
  }

  # What you decide about a host:
  # host_options = { alpha = { maintenance = true } }
}

resource "hypervisor_volume" "root" {
  for_each = local.machines
  host     = hypervisor_placement.shop.assignments[each.key].host
  name     = "${each.key}.qcow2"
  size     = "20GiB"
}

resource "hypervisor_vm" "shop" {
  for_each  = local.machines
  name      = each.key
  placement = hypervisor_placement.shop.assignments[each.key]
  memory    = each.value.memory

  disks      = { root = { volume = hypervisor_volume.root[each.key].id } }
  interfaces = { lan = { bridge = "br0" } }
}

output "core_map" {
  value = hypervisor_placement.shop.core_map
}
