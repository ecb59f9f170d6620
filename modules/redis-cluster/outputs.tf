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

  precondition {
    condition     = alltrue([for count in values(local.masters_by_domain) : 2 * count < local.masters])
    error_message = "The loss of one failure domain would take the majority of the ${local.masters} masters away, and with it every failover: ${join(", ", [for domain, count in local.masters_by_domain : "${domain} has ${count}" if 2 * count >= local.masters])}. Spread the machines over three of them; the third may be a witness that has one of them."
  }

  precondition {
    condition     = length(local.fitting) > 0
    error_message = "A replica would be in the failure domain of its master, and both would be lost at once. Spread the machines more evenly: ${join(", ", [for domain, names in local.by_domain : "${domain} has ${length(names)}"])}."
  }
}

output "rto_estimate" {
  description = "Seconds without writes to some slots when a machine dies at once: `typical`, and the `longest`. The README has the formula."
  value = {
    typical = local.node_timeout / 1000 + 2
    longest = 2 * local.node_timeout / 1000 + 3
  }
}

output "files" {
  description = "By machine: the content of each file that is written, by path, without secrets."
  value       = local.files
}
