# Which machine runs where. What must not fail together is apart: on different hosts, and in different failure domains if hosts share some.

locals {
  domains   = { for host in keys(var.hosts) : host => lookup(var.failure_domains, host, host) }
  by_domain = { for host, domain in local.domains : domain => host... }
  shared    = length(local.by_domain) < length(var.hosts)
  order     = sort(keys(local.by_domain))

  # With shared domains each machine has one to be in, taken in turns, so that the two of a pair follow each other.
  turns = { for name, machine in local.fleet : name => local.order[(machine.number - 1) % length(local.order)] }

  group = {
    for name, machine in local.fleet : name => (
      machine.tier == "web" ? "web" :
      local.shared ? "${machine.tier} in ${local.turns[name]}" :
      machine.tier == "mysql" ? "mysql-${ceil(machine.number / 2)}" :
      machine.tier
    )
  }
}

resource "hypervisor_placement" "platform" {
  hosts        = var.hosts
  host_options = var.host_options
  machines     = { for name, machine in local.fleet : name => { vcpus = machine.vcpus, memory = machine.memory, group = local.group[name] } }

  groups = merge(
    { web = { spread = "evenly", survives = "host", avoid = var.witnesses } },
    local.shared ? {
      for group in distinct([for name, group in local.group : group if group != "web"]) : group => {
        spread   = "evenly"
        survives = null
        avoid    = setunion([for host, domain in local.domains : host if !endswith(group, " in ${domain}")], startswith(group, "consul ") || startswith(group, "redis ") || startswith(group, "elasticsearch ") ? [] : var.witnesses)
      }
      } : {
      for group in distinct([for name, group in local.group : group if group != "web"]) : group => {
        spread   = startswith(group, "mysql-") || contains(["gateway", "consul"], group) ? "hosts" : "evenly"
        survives = null
        avoid    = contains(["consul", "redis", "elasticsearch"], group) ? [] : var.witnesses
      }
    },
  )
}
