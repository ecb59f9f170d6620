# Where everything runs, decided by the provider itself on hosts that are only written down.

provider "hypervisor" {
  hosts = { for name in ["alpha", "beta", "gamma"] : name => { uri = "qemu+tcp://127.0.0.1:1/system" } } # nobody is there
}

provider "hypervisor" {
  alias = "containers"
  hosts = { for name in ["alpha", "beta", "gamma"] : name => { uri = "lxc+tcp://127.0.0.1:1/system" } }
}

variables {
  hosts   = ["alpha", "beta"]
  witness = "gamma"
  address = "10.0.0.100/24"
  network = { bridge = "br0", gateway = "10.0.0.1" }
  image   = { volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.qcow2" } }
  facts = merge(
    { for host in ["alpha", "beta"] : host => { nodes = [{ memory = "64GiB", cores = [for core in range(12) : "${core},${core + 12}"] }] } },
    { gamma = { nodes = [{ memory = "8GiB", cores = ["0", "1", "2", "3"] }] } },
  )
  secrets = {
    consul = {
      gossip_key         = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
      ca_certificate     = "-----BEGIN CERTIFICATE-----"
      server_certificate = "-----BEGIN CERTIFICATE-----"
      server_key         = "-----BEGIN PRIVATE KEY-----"
      tokens = {
        management = "00000000-0000-4000-8000-000000000001"
        agent      = "00000000-0000-4000-8000-000000000002"
        services   = "00000000-0000-4000-8000-000000000003"
        gateway    = "00000000-0000-4000-8000-000000000004"
        mysql-pair = "00000000-0000-4000-8000-000000000005"
      }
    }
    mysql          = { replication = "an example" }
    redis_password = "only-for-the-tests"
  }
}

run "every_pair_is_on_different_hosts" {
  command = plan

  variables {
    web = { count = 4 }
  }

  assert {
    condition = alltrue([
      for tier in ["gateway", "mysql", "redis"] :
      toset([for n in [1, 2] : hypervisor_placement.platform.assignments["${tier}-${n}"].host]) == toset(["alpha", "beta"])
    ])
    error_message = "A pair shares a host:\n${output.core_map}"
  }

  assert {
    condition = (
      toset([for n in [1, 2, 3] : hypervisor_placement.platform.assignments["consul-${n}"].host]) == toset(["alpha", "beta", "gamma"]) &&
      hypervisor_placement.platform.assignments["redis-3"].host == "gamma" &&
      length([for n in range(1, 5) : n if hypervisor_placement.platform.assignments["web-${n}"].host == "alpha"]) == 2
    )
    error_message = "The votes or the web machines are not spread:\n${output.core_map}"
  }

  assert {
    condition     = local.groups.web.survives == "host" && alltrue([for tier in ["gateway", "mysql", "redis", "consul"] : local.groups[tier].spread == "hosts"])
    error_message = "The placement does not have to prove that a host may be lost: ${jsonencode(local.groups)}"
  }

  assert {
    condition = (
      output.address == "10.0.0.100" && output.services.web == "web.service.consul" && output.services.redis_writer == "redis-writer.service.consul" &&
      local.addresses["gateway-2"] == "10.0.0.102/24" && local.addresses["web-4"] == "10.0.0.144/24"
    )
    error_message = "The addresses are ${jsonencode(local.addresses)}."
  }

  assert {
    condition = (
      output.rto_estimate.gateway == { typical = 1, longest = 2 } &&
      output.rto_estimate.web == { typical = 1.3, longest = 3.5 } &&
      output.rto_estimate.reads.typical < 5 && output.rto_estimate.writes.typical < 15
    )
    error_message = "The estimate does not follow from the timers: ${jsonencode(output.rto_estimate)}"
  }
}

run "containers" {
  command   = plan
  providers = { hypervisor = hypervisor.containers }

  variables {
    image = { kind = "archive", volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.tar" } }
  }

  assert {
    condition     = strcontains(output.core_map, "web-2") && !strcontains(output.core_map, "web-3")
    error_message = "The containers are not placed:\n${output.core_map}"
  }
}

run "maintenance_of_a_host" {
  command = plan

  variables {
    maintenance = "alpha"
  }

  assert {
    condition = alltrue([
      for tier, names in local.stopped : length(names) == 1 && hypervisor_placement.platform.assignments[names[0]].host == "alpha"
    ])
    error_message = "The machines of alpha are not those that stop: ${jsonencode(local.stopped)}"
  }
}

run "two_hosts_alone" {
  command = plan

  variables {
    witness       = null
    auto_failover = false
  }

  assert {
    condition     = !contains(keys(local.fleet), "redis-3") && !strcontains(output.core_map, "gamma")
    error_message = "There is a machine on a witness that there is not:\n${output.core_map}"
  }
}
