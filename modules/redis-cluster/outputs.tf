output "machines" {
  description = "By machine: its `host`, its `address` without the prefix length, and its `id`."
  value       = module.machines.machines
}

output "service" {
  description = "Name of the service in Consul: `<service>.service.consul` resolves to the members that answer."
  value       = var.service
}

output "shards" {
  description = "By the machine that begins as its master: the `first` and the `last` slot of a shard, and its `replicas`."
  value       = local.shards
}

output "files" {
  description = "By machine: the content of each file that is written, by path, without secrets."
  value       = local.files
}
