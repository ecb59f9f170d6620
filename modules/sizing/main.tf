locals {
  # Traffic at the sale's busiest minute, per second.
  orders          = var.annual_gmv / var.demand.order_value / 365 / 86400 * var.demand.peak_day_factor * var.demand.peak_minute_factor
  requests        = local.orders * var.demand.requests_per_order
  queries         = local.requests * var.demand.queries_per_request
  database_reads  = local.queries * (1 - var.demand.cache_hit_ratio)
  database_writes = local.orders * var.demand.database_writes_per_order
  searches        = local.requests * var.demand.search_share
  ordinary_share  = var.demand.ordinary_day_factor / var.demand.peak_day_factor

  # What one machine carries, per second and at the load that it may have.
  gateway_size = try(
    min([for size in var.gateway.sizes : size if local.requests <= size * var.gateway.requests_per_core * var.gateway.max_load_percent / 100]...),
    max(var.gateway.sizes...),
  )
  gateway_rate = local.gateway_size * var.gateway.requests_per_core * var.gateway.max_load_percent / 100
  web_rate     = var.web.requests_per_machine * var.web.max_load_percent / 100
  redis_rate   = var.redis.operations_per_master * var.redis.max_load_percent / 100
  search_rate  = var.elasticsearch.searches_per_machine * var.elasticsearch.max_load_percent / 100

  gateways_active = ceil(local.requests / local.gateway_rate)
  web_machines    = max(var.web.minimum, ceil(local.requests / local.web_rate))
  web_ordinary    = max(var.web.minimum, ceil(local.requests * local.ordinary_share / local.web_rate))
  mysql_pairs     = max(var.mysql.minimum, ceil(local.database_writes / var.mysql.writes_per_primary), ceil(local.database_reads / (2 * var.mysql.reads_per_machine)))
  redis_masters   = max(3, ceil(local.queries / local.redis_rate)) # a cluster of fewer than three has no majority
  search_nodes    = local.searches > 0 ? max(3, ceil(local.searches / local.search_rate)) : 0

  gib = { MiB = 1 / 1024, GiB = 1, TiB = 1024 }
  memory_gib = {
    for name, size in {
      gateway       = var.gateway.memory_per_vcpu
      web           = var.web.memory
      mysql         = var.mysql.memory
      redis         = var.redis.memory
      elasticsearch = var.elasticsearch.memory
      consul        = var.consul.memory
      host          = var.host.memory
      reserved      = var.host.reserved_memory
    } : name => tonumber(regex("^[0-9.]+", size)) * local.gib[regex("[A-Za-z]+$", size)]
  }

  tiers = {
    gateway = {
      machines     = local.gateways_active + var.gateway.standby
      vcpus        = local.gateway_size
      memory_gib   = local.gateway_size * local.memory_gib.gateway
      load_percent = 100 * local.requests / (local.gateways_active * local.gateway_size * var.gateway.requests_per_core)
    }
    web = {
      machines     = local.web_machines
      vcpus        = var.web.vcpus
      memory_gib   = local.memory_gib.web
      load_percent = 100 * local.requests / (local.web_machines * var.web.requests_per_machine)
    }
    mysql = {
      machines   = 2 * local.mysql_pairs
      vcpus      = var.mysql.vcpus
      memory_gib = local.memory_gib.mysql
      load_percent = 100 * max(
        local.database_writes / (local.mysql_pairs * var.mysql.writes_per_primary),
        local.database_reads / (2 * local.mysql_pairs * var.mysql.reads_per_machine),
      )
    }
    redis = {
      machines     = local.redis_masters * (1 + var.redis.replicas)
      vcpus        = var.redis.vcpus
      memory_gib   = local.memory_gib.redis
      load_percent = 100 * local.queries / (local.redis_masters * var.redis.operations_per_master)
    }
    elasticsearch = {
      machines     = local.search_nodes
      vcpus        = var.elasticsearch.vcpus
      memory_gib   = local.memory_gib.elasticsearch
      load_percent = local.search_nodes > 0 ? 100 * local.searches / (local.search_nodes * var.elasticsearch.searches_per_machine) : null
    }
    consul = {
      machines     = 3
      vcpus        = var.consul.vcpus
      memory_gib   = local.memory_gib.consul
      load_percent = null
    }
  }

  # 1, 2, 3 ... up to the largest tier, in two steps: range() makes at most 1,024 numbers.
  largest = max([for tier in local.tiers : tier.machines]...)
  numbers = flatten([for thousand in range(ceil(local.largest / 1000)) : [for n in range(1, 1001) : 1000 * thousand + n]])
}
