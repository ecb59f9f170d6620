output "machines" {
  description = "By machine: its `host`, its `address` without the prefix length, and its `id`."
  value       = module.machines.machines
}

output "service" {
  description = "Name of the service in Consul: `<service>.service.consul` resolves to the healthy machines."
  value       = var.service
}

output "workers" {
  description = "By machine: requests that Apache answers at a time; none for another server."
  value       = var.server == "apache" ? local.workers : {}

  precondition {
    condition     = var.server != "apache" || length(local.short) == 0
    error_message = "The memory of a machine, less apache.reserved_memory, holds fewer than ${4 * local.threads} requests of apache.worker_memory: ${join(", ", local.short)}. Give it more memory, or lower one of the two."
  }
}

output "files" {
  description = "By machine: the content of each file that is written, by path, without secrets."
  value       = local.files
}

output "timers" {
  description = "Seconds: `check` is how long an instance that does not answer stays in DNS (interval and time-out of its health check), `drain` how long one that leaves goes on answering."
  value       = { check = local.seconds.interval + local.seconds.timeout, drain = local.seconds.drain }
}
