output "machines" {
  description = "By member: its `host`, its `address` without the prefix length, and its `id`."
  value       = module.machines.machines
}

output "services" {
  description = "Names that clients use: the `writer`, and the `reader`."
  value = {
    writer = "${var.services.writer}.service.consul"
    reader = "${var.services.reader}.service.consul"
  }
}

output "rto_estimate" {
  description = "Seconds without reads and without writes, `typical` and `longest`, when a machine, a server or the replica is lost. Null where people decide."
  value       = local.rto_estimate
}
