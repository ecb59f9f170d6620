output "machines" {
  description = "By machine: its `host`, its `address` without the prefix length, and its `id`."
  value       = module.machines.machines
}

output "managers" {
  description = "The managers of the swarm, with the address that each advertises. `docker swarm init --advertise-addr <address>` on the first of them begins it."
  value       = { for name in var.managers : name => local.addresses[name] }
}

output "workers" {
  description = "All other machines."
  value       = sort(tolist(setsubtract(keys(var.machines), var.managers)))
}

output "files" {
  description = "By machine: the content of each file that is written, by path, without secrets."
  value       = local.files
}
