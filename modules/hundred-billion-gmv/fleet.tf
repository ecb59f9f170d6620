# What there is: the machines of each tier by name, their sizes and their addresses. A machine keeps all three whatever is added.

locals {
  web_machines = coalesce(var.web_machines, var.tiers.web.machines)
  pairs        = ceil(var.tiers.mysql.machines / 2)

  # One master more where one failure domain would have half of them, as of four in three domains.
  redis_shares  = 1 + var.redis_replicas
  redis_masters = [for n in [0, 1] : ceil(var.tiers.redis.machines / local.redis_shares) + n if 2 * ceil((ceil(var.tiers.redis.machines / local.redis_shares) + n) / length(local.by_domain)) < ceil(var.tiers.redis.machines / local.redis_shares) + n]

  # Sizes are whole numbers of their unit.
  memory = { for tier, machine in var.tiers : tier => floor(machine.memory_gib) == machine.memory_gib ? "${machine.memory_gib}GiB" : "${ceil(1024 * machine.memory_gib)}MiB" }

  counted = {
    gateway       = { for n in range(1, var.tiers.gateway.machines + 1) : "gateway-${n}" => n }
    consul        = { for n in range(1, var.tiers.consul.machines + 1) : "consul-${n}" => n }
    mysql         = merge([for pair in range(1, local.pairs + 1) : { for n in [1, 2] : "mysql-${pair}-${n}" => 2 * (pair - 1) + n }]...)
    redis         = { for n in range(1, local.redis_shares * try(local.redis_masters[0], 3) + 1) : "redis-${n}" => n }
    elasticsearch = { for n in range(1, var.tiers.elasticsearch.machines + 1) : "search-${n}" => n }
    web           = { for n in local.web_numbers : "web-${n}" => n }
  }

  # range() makes at most 1,024 numbers.
  web_numbers = flatten([for thousand in range(ceil(local.web_machines / 1000)) : [for n in range(1, 1001) : 1000 * thousand + n if 1000 * thousand + n <= local.web_machines]])

  fleet = merge([
    for tier, names in local.counted : {
      for name, n in names : name => {
        tier    = tier
        number  = n
        vcpus   = try(var.sizes[name].vcpus, var.tiers[tier].vcpus)
        memory  = try(var.sizes[name].memory, local.memory[tier])
        address = "${cidrhost(var.network.cidr, var.network.first[tier] + n - 1)}/${split("/", var.network.cidr)[1]}"
      }
    }
  ]...)

  data = {
    gateway       = {}
    consul        = {}
    web           = {}
    mysql         = {} # the module mysql-pair has its own
    redis         = { redis = var.disks.redis }
    elasticsearch = { data = var.disks.elasticsearch }
  }

  machines = {
    for tier, names in local.counted : tier => {
      for name in keys(names) : name => {
        placement = hypervisor_placement.platform.assignments[name]
        address   = local.fleet[name].address
        memory    = local.fleet[name].memory
        data      = local.data[tier]

        vcpus_maximum = tier == "gateway" ? max(var.gateway.vcpus_maximum, local.fleet[name].vcpus) : null
      }
    }
  }

  # Addresses that two machines would have, or a machine and the gateways together.
  taken = { for name, machine in local.fleet : split("/", machine.address)[0] => name... }
  shared_addresses = sort(flatten([
    for address, names in local.taken : length(names) > 1 || address == split("/", var.address)[0] ? ["${address} is that of ${join(" and ", concat(names, address == split("/", var.address)[0] ? ["the gateways together"] : []))}"] : []
  ]))

  network = { bridge = var.network.bridge, gateway = var.network.gateway, nameservers = var.network.nameservers }
}
