output "traffic" {
  description = "Per second, at the sale's busiest minute: `orders`, `requests`, `queries` (to Redis), `database_reads`, `database_writes`, `searches`; and `ordinary_requests`, those of the busiest minute of a day without a sale."
  value = {
    orders            = local.orders
    requests          = local.requests
    ordinary_requests = local.requests * local.ordinary_share
    queries           = local.queries
    database_reads    = local.database_reads
    database_writes   = local.database_writes
    searches          = local.searches
  }
}

output "tiers" {
  description = "For each tier (`gateway`, `web`, `mysql`, `redis`, `elasticsearch`, `consul`): `machines`, the `vcpus` and `memory_gib` of one, and the `load_percent` at the peak of those that carry traffic."
  value       = local.tiers
}

output "web_ordinary" {
  description = "Web machines on a day without a sale. The others are added before a sale and go after it."
  value       = local.web_ordinary
}

output "gateway_load_percent" {
  description = "CPU load at the peak of a gateway that carries traffic."
  value       = local.tiers.gateway.load_percent
}

output "total" {
  description = "All tiers at the sale: `machines`, `vcpus`, `memory_gib`."
  value = {
    machines   = sum([for tier in local.tiers : tier.machines])
    vcpus      = local.total_vcpus
    memory_gib = local.total_memory_gib
  }
}

output "hosts" {
  description = "Physical servers to buy, the spare ones included."
  value       = local.hosts
}

output "headroom_after_loss_percent" {
  description = "CPUs or memory, whichever is scarcer, that are left over when one host is lost and its machines run on the others, in percent of what the machines take. Negative if they do not all find room."
  value       = 100 * (local.after_loss - 1)
}

output "machines" {
  description = "The machines by name, as `hypervisor_placement` takes them. Each one's `group` is its tier."
  value = merge([
    for group, tier in local.tiers : {
      for n in local.numbers : "${group}-${n}" => { vcpus = tier.vcpus, memory = "${tier.memory_gib}GiB", group = group } if n <= tier.machines
    }
  ]...)
}
