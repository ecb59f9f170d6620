output "machines" {
  description = "By server: its `host`, its `address` without the prefix length, and its `id`."
  value       = module.machines.machines
}

output "agent" {
  description = "Configuration of every other machine's agent, for the input `consul` of the tiers: content of each file by path."
  value       = { files = { "/etc/consul.d/consul.json" = jsonencode(local.agent), (local.dial_path) = local.dial } }
}

output "addresses" {
  description = "URL of each server's HTTPS API by its name, for the provider's `consul.address`."
  value       = { for name, address in local.addresses : name => "https://${address}:8501" }
}

output "detection" {
  description = "Seconds until the loss of a machine is known, computed from the timers: `typical`, and `longest`, when no second member confirms it."
  value       = local.detection

  precondition {
    condition     = local.milliseconds.probe_timeout < local.milliseconds.probe_interval
    error_message = "detection.probe_timeout is shorter than detection.probe_interval, so that others can be asked in between."
  }
}
