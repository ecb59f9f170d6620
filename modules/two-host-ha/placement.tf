# Which machine runs where. No two of a pair share a host, and the web machines of either host fit on the other.

data "hypervisor_host" "all" {
  for_each = setsubtract(local.all_hosts, keys(var.facts))
  name     = each.key
}

resource "hypervisor_placement" "platform" {
  hosts        = { for name in local.all_hosts : name => try(data.hypervisor_host.all[name].facts, var.facts[name]) }
  host_options = var.host_options
  may_move     = var.may_move
  machines     = local.demands
  groups       = local.groups
}

locals {
  witnesses = var.witness == null ? [] : [var.witness]
  demands   = { for name, machine in local.fleet : name => { vcpus = machine.vcpus, memory = machine.memory, group = machine.group } }

  groups = merge(
    { for tier in ["gateway", "mysql", "redis"] : tier => { spread = "hosts", survives = null, avoid = local.witnesses } },
    {
      consul  = { spread = var.witness == null ? "evenly" : "hosts", survives = null, avoid = [] }
      web     = { spread = "evenly", survives = "host", avoid = local.witnesses }
      witness = { spread = null, survives = null, avoid = var.hosts }
    },
  )
}
