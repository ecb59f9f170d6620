data "hypervisor_host" "all" {
  for_each = toset(["alpha", "beta"])
  name     = each.key
}

locals {
  facts = { for name, host in data.hypervisor_host.all : name => host.facts }

  # A server that is not bought yet: two sockets of 16 cores with two threads each.
  gamma = {
    nodes = [for first in [0, 16] : {
      memory = "128GiB"
      cores  = [for core in range(first, first + 16) : "${core},${core + 32}"]
    }]
  }

  machines = { for number in range(20) : format("web-%02d", number) => { vcpus = 4, memory = "8GiB", group = "web" } }
  groups   = { web = { spread = "evenly", survives = "host" } }

  today = provider::hypervisor::place({ hosts = local.facts, machines = local.machines, groups = local.groups })
  then  = provider::hypervisor::place({ hosts = merge(local.facts, { gamma = local.gamma }), machines = local.machines, groups = local.groups })
}

output "without_gamma" {
  value = coalesce(local.today.error, "fits, and outlives any one host")
}

output "with_gamma" {
  value = coalesce(local.then.error, "fits, and outlives any one host")
}
