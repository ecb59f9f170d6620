output "machines" {
  description = "By machine: its `host`, its `address` without the prefix length, and its `id`."
  value       = module.machines.machines
}

output "address" {
  description = "The virtual address, without its prefix length."
  value       = local.address
}

output "priorities" {
  description = "By machine: its priority for the address. The highest that is well has it to begin with."
  value       = local.priorities
}

output "files" {
  description = "By machine: the content of each file that is written, by path, without secrets."
  value       = local.files
}

output "timers" {
  description = "Seconds: after `takeover` another machine has the address of one that died, after `check` of one whose gateway does not answer; `dial` is how long a request waits for a machine behind that does not accept it, `grace` how long a gateway that stops goes on."
  value = {
    takeover = local.takeover
    check    = var.vrrp.failures * (local.seconds.check + 1) # the script may take a second
    dial     = local.seconds.dial
    grace    = local.seconds.grace
  }
}
