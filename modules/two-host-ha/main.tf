# What there is: the machines of each tier by name, and their addresses after the virtual one.

locals {
  all_hosts = concat(var.hosts, var.witness == null ? [] : [var.witness])
  prefix    = split("/", var.address)[1]
  own       = tonumber(split(".", split("/", var.address)[0])[3]) # position of the virtual address
  base      = join(".", slice(split(".", split("/", var.address)[0]), 0, 3))

  # Tier, vCPUs and memory of every machine, and how far its address is from the virtual one.
  fleet = merge(
    { for n in [1, 2] : "gateway-${n}" => { group = "gateway", vcpus = var.gateway.vcpus, memory = var.gateway.memory, offset = n } },
    { for n in [1, 2, 3] : "consul-${n}" => { group = "consul", vcpus = var.consul.vcpus, memory = var.consul.memory, offset = 10 + n } },
    { for n in [1, 2] : "mysql-${n}" => { group = "mysql", vcpus = var.mysql.vcpus, memory = var.mysql.memory, offset = 20 + n } },
    { for n in [1, 2] : "redis-${n}" => { group = "redis", vcpus = var.redis.vcpus, memory = var.redis.memory, offset = 30 + n } },
    { for n in var.witness == null ? [] : [3] : "redis-${n}" => { group = "witness", vcpus = 1, memory = "512MiB", offset = 30 + n } },
    { for n in range(1, var.web.count + 1) : "web-${n}" => { group = "web", vcpus = var.web.vcpus, memory = var.web.memory, offset = 40 + n } },
  )

  addresses = {
    for name, machine in local.fleet : name => lookup(var.addresses, name, "${local.base}.${local.own + machine.offset}/${local.prefix}")
  }

  tiers = {
    for tier in ["gateway", "consul", "mysql", "redis", "web"] : tier => {
      for name, machine in local.fleet : name => {
        placement = hypervisor_placement.platform.assignments[name]
        address   = local.addresses[name]
        memory    = machine.memory
      } if startswith(name, "${tier}-")
    }
  }

  # In the maintenance of a host its machines are shut down. Each leaves first, and the other host's carry on.
  stopped = {
    for tier, machines in local.tiers : tier => [for name, machine in machines : name if machine.placement.host == coalesce(var.maintenance, "none")]
  }
}
