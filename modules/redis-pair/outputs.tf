output "machines" {
  description = "By machine: its `host`, its `address` without the prefix length, and its `id`."
  value       = module.machines.machines
}

output "services" {
  description = "Names of the services in Consul: `writer` is the server that takes writes, `reader` those that answer reads."
  value       = { writer = "${var.name}-writer", reader = "${var.name}-reader" }
}

output "maxmemory" {
  description = "By server: MiB of data that it holds before it evicts or refuses."
  value       = { for name in local.servers : name => local.memory[name] }
}

output "files" {
  description = "By machine: the content of each file that is written, by path, without secrets."
  value       = local.files
}

output "timers" {
  description = "Seconds: `writer` is how long writes fail at most when the primary's machine dies, `lag` how far back an acknowledged write may be lost then."
  value = {
    # Down by one sentinel and by the majority (a question each second), the start of the failover at random within one second,
    # the promotion at the next INFO, the guard's and the check's next look.
    writer = local.milliseconds.down / 1000 + 1 + 1 + 1 + 0.5 + local.milliseconds.check / 1000
    lag    = local.milliseconds.lag / 1000
  }
}
