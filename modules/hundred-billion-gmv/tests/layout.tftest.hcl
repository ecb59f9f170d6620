# A small platform, decided by the provider itself on hosts that are only written down.

provider "hypervisor" {
  hosts = { for name in ["alpha", "beta", "gamma", "delta", "witness"] : name => { uri = "qemu+tcp://127.0.0.1:1/system" } } # nobody is there
}

variables {
  tiers = {
    gateway       = { machines = 2, vcpus = 2, memory_gib = 4 }
    web           = { machines = 2, vcpus = 2, memory_gib = 4 }
    mysql         = { machines = 4, vcpus = 2, memory_gib = 4 }
    redis         = { machines = 6, vcpus = 2, memory_gib = 2 }
    elasticsearch = { machines = 3, vcpus = 2, memory_gib = 4 }
    consul        = { machines = 3, vcpus = 2, memory_gib = 2 }
  }
  hosts          = { for name in ["alpha", "beta", "gamma", "delta"] : name => { nodes = [{ memory = "64GiB", cores = [for core in range(16) : "${core},${core + 16}"] }] } }
  address        = "10.0.0.4/22"
  network        = { bridge = "br0", cidr = "10.0.0.0/22", gateway = "10.0.0.1" }
  image          = { volumes = { for host in ["alpha", "beta", "gamma", "delta", "witness"] : host => "${host}/default/debian-12.qcow2" } }
  elasticsearch  = { security = false }
  databases      = { orders = 1, goods = 1 }
  database_users = { shop = { database = "orders" } }
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
    mysql          = { replication = "only-for-the-tests", users = { shop = "only-for-the-tests" } }
    redis_password = "only-for-the-tests"
  }
}

run "nothing_that_must_not_fail_together_does" {
  command = plan

  variables {
    hosts = { for name, cores in { alpha = 16, beta = 16, gamma = 16, delta = 16, witness = 8 } : name => {
      nodes = [{ memory = "${4 * cores}GiB", cores = [for core in range(cores) : "${core},${core + cores}"] }]
    } }
    witnesses    = ["witness"]
    databases    = { orders = 1, goods = 2 }
    web_machines = 5
    sizes        = { gateway-2 = { vcpus = 8, memory = "16GiB" } }
    allow_change = { gateway = "reboot" }
  }

  assert {
    condition = alltrue([
      for pair in [["gateway-1", "gateway-2"], ["mysql-1-1", "mysql-1-2"], ["mysql-2-1", "mysql-2-2"], ["consul-1", "consul-2", "consul-3"], ["search-1", "search-2", "search-3"]] :
      length(distinct([for name in pair : hypervisor_placement.platform.assignments[name].host])) == length(pair)
    ])
    error_message = "Some share a host:\n${output.core_map}"
  }

  assert {
    condition     = alltrue([for name, place in hypervisor_placement.platform.assignments : place.host != "witness" || can(regex("^(consul|redis|search)-", name))])
    error_message = "The witness has more than votes:\n${output.core_map}"
  }

  assert {
    condition     = length(local.counted.web) == 5 && max([for host in keys(var.hosts) : length([for n in range(1, 6) : n if hypervisor_placement.platform.assignments["web-${n}"].host == host])]...) == 2
    error_message = "The web machines are not spread evenly:\n${output.core_map}"
  }

  assert {
    condition     = length(hypervisor_placement.platform.assignments["gateway-2"].pins) == 8 && length(hypervisor_placement.platform.assignments["gateway-1"].pins) == 2
    error_message = "One gateway alone has not grown:\n${output.core_map}"
  }

  assert {
    condition     = output.services.databases.orders.writer == "mysql-1-writer.service.consul" && output.services.databases.goods.writer == "mysql-2-writer.service.consul"
    error_message = "The databases are not divided among the pairs: ${jsonencode(output.services)}"
  }

  assert {
    condition     = output.address == "10.0.0.4" && local.fleet["web-1"].address == "10.0.1.145/22" && length(distinct([for machine in local.fleet : machine.address])) == length(local.fleet)
    error_message = "Addresses are others: ${jsonencode(local.fleet)}"
  }
}

# Four hosts in three racks: a pair is in two of them, and of four masters two would be in one.
run "racks_are_kept_apart" {
  command = plan

  variables {
    failure_domains = { alpha = "rack-1", beta = "rack-2", gamma = "rack-3", delta = "rack-1" }
    tiers = {
      gateway       = { machines = 2, vcpus = 2, memory_gib = 4 }
      web           = { machines = 2, vcpus = 2, memory_gib = 4 }
      mysql         = { machines = 2, vcpus = 2, memory_gib = 4 }
      redis         = { machines = 8, vcpus = 1, memory_gib = 2 }
      elasticsearch = { machines = 4, vcpus = 2, memory_gib = 4 }
      consul        = { machines = 3, vcpus = 2, memory_gib = 2 }
    }
  }

  assert {
    condition = alltrue([
      for pair in [["gateway-1", "gateway-2"], ["mysql-1-1", "mysql-1-2"], ["consul-1", "consul-2", "consul-3"]] :
      length(distinct([for name in pair : var.failure_domains[hypervisor_placement.platform.assignments[name].host]])) == length(pair)
    ])
    error_message = "Some share a rack:\n${output.core_map}"
  }

  assert {
    condition     = length(local.counted.redis) == 10
    error_message = "There are ${length(local.counted.redis)} machines of Redis, of which two of four masters would be in one rack."
  }
}

# A staging platform: a network of 254 addresses, and no search of its own.
run "a_small_network_will_do" {
  command = plan

  variables {
    network = { bridge = "br0", cidr = "10.0.0.0/24", first = { gateway = 11, consul = 21, mysql = 31, redis = 41, web = 101 } }
    address = "10.0.0.10/24"
    tiers = {
      gateway       = { machines = 2, vcpus = 1, memory_gib = 1 }
      web           = { machines = 2, vcpus = 1, memory_gib = 2 }
      mysql         = { machines = 4, vcpus = 1, memory_gib = 2 }
      redis         = { machines = 6, vcpus = 1, memory_gib = 0.5 }
      elasticsearch = { machines = 0, vcpus = 2, memory_gib = 4 }
      consul        = { machines = 3, vcpus = 1, memory_gib = 1 }
    }
  }

  assert {
    condition     = local.fleet["gateway-1"].address == "10.0.0.11/24" && local.fleet["web-2"].address == "10.0.0.102/24" && local.fleet["mysql-2-2"].address == "10.0.0.34/24"
    error_message = "Addresses are others: ${jsonencode(local.fleet)}"
  }

  assert {
    condition     = local.fleet["redis-1"].memory == "512MiB" && local.fleet["web-1"].memory == "2GiB"
    error_message = "Sizes are no whole numbers of their units: ${jsonencode(local.fleet)}"
  }

  assert {
    condition     = output.services.elasticsearch == null && length(output.machines) == 17
    error_message = "There are ${length(output.machines)} machines, and Elasticsearch is ${jsonencode(output.services.elasticsearch)}."
  }

  assert {
    condition     = local.machines.gateway["gateway-1"].vcpus_maximum == 8 && local.machines.web["web-1"].vcpus_maximum == null
    error_message = "Only gateways are to have room to grow as they run: ${jsonencode(local.machines)}"
  }
}
