output "machines" {
  description = "By machine: its `host`, its `address` without the prefix length, and its `id`."
  value       = module.machines.machines
}

output "service" {
  description = "Name of the service in Consul: `<service>.service.consul` resolves to the nodes that answer."
  value       = var.cluster
}

output "voters" {
  description = "The nodes that vote on who is master, each in a failure domain of its own."
  value       = local.voters
}

output "heap" {
  description = "Heap of each node, in MiB."
  value       = local.heap
}

output "files" {
  description = "By machine: the content of each file that is written, by path, without secrets."
  value       = local.files
}
