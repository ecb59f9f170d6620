output "address" {
  description = "The virtual address, which clients know."
  value       = module.gateway.address
}

output "services" {
  description = "Names by which Consul's DNS knows the tiers: `web`, `mysql_writer`, `mysql_reader`, `redis_writer`, `redis_reader`."
  value = {
    web          = "${module.web.service}.service.consul"
    mysql_writer = module.mysql.services.writer
    mysql_reader = module.mysql.services.reader
    redis_writer = "${module.redis.services.writer}.service.consul"
    redis_reader = "${module.redis.services.reader}.service.consul"
  }
}

output "machines" {
  description = "By machine: its `host`, its `address` without the prefix length, and its `id`."
  value       = merge(module.consul.machines, module.gateway.machines, module.web.machines, module.mysql.machines, module.redis.machines)
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

output "rto_estimate" {
  description = "By tier (`gateway`, `web`, `reads`, `writes`), how many seconds it is away when a host dies at once: `typical`, and the `longest`. Null where people decide."
  value       = local.rto_estimate
}

output "timers" {
  description = "Seconds that the estimate is made of, by tier."
  value = {
    detection = module.consul.detection
    gateway   = local.gateway
    web       = module.web.timers
    mysql     = module.mysql.rto_estimate
    redis     = module.redis.timers
  }
}

output "agent" {
  description = "Configuration of a Consul agent, for the input `consul` of further tiers on the same hosts."
  value       = module.consul.agent
}
