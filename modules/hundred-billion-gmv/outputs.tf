output "address" {
  description = "The virtual address, which clients know."
  value       = module.gateway.address
}

output "services" {
  description = "Names by which Consul's DNS knows the tiers, `elasticsearch` being null without its machines; of MySQL the `writer` and the `reader` of each pair by its number, and those of each database by its name."
  value = {
    web           = "${module.web.service}.service.consul"
    redis         = "${module.redis.service}.service.consul"
    elasticsearch = one([for search in module.elasticsearch : "${search.service}.service.consul"])
    mysql         = { for pair, mysql in module.mysql : pair => mysql.services }
    databases     = { for database, pair in var.databases : database => module.mysql[tostring(pair)].services }
  }
}

output "machines" {
  description = "By machine: its `host`, its `address` without the prefix length, and its `id`."
  value       = merge(module.consul.machines, module.gateway.machines, module.web.machines, module.redis.machines, concat([for mysql in module.mysql : mysql.machines], module.elasticsearch[*].machines)...)

  precondition {
    condition     = length(local.shared_addresses) == 0
    error_message = "An address has one owner: ${join("; ", local.shared_addresses)}. Give the tiers other blocks by network.first, or the gateways another address."
  }
}

output "rto_estimate" {
  description = "Seconds that a tier is away when a machine dies at once, as `rto_estimate` of the modules: `redis`, and `mysql` by the number of the pair."
  value       = { redis = module.redis.rto_estimate, mysql = { for pair, mysql in module.mysql : pair => mysql.rto_estimate } }
}

output "free" {
  description = "What is left on each host, as `free` of `hypervisor_placement`: room for a sale, and what is left after the loss of a host."
  value       = hypervisor_placement.platform.free
}

output "consul_addresses" {
  description = "URL of each Consul server's API by its name, for the provider's `consul.address`."
  value       = module.consul.addresses
}

output "core_map" {
  description = "Every host and core with its owner, as text of which a plan shows the lines that change."
  value       = hypervisor_placement.platform.core_map
}

output "core_map_svg" {
  description = "The same as a picture. It is no secret; plans do not print it."
  value       = hypervisor_placement.platform.core_map_svg
  sensitive   = true
}
