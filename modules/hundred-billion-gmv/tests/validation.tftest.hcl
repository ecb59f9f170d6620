# One run for each validation.

provider "hypervisor" {
  hosts = { for name in ["alpha", "beta", "gamma", "delta", "witness"] : name => { uri = "qemu+tcp://127.0.0.1:1/system" } } # nobody is there
}

variables {
  tiers = {
    gateway       = { machines = 2, vcpus = 2, memory_gib = 4 }
    web           = { machines = 6, vcpus = 2, memory_gib = 4 }
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

run "half_a_machine" {
  command = plan

  variables {
    tiers = {
      gateway       = { machines = 2, vcpus = 2, memory_gib = 4 }
      web           = { machines = 2.5, vcpus = 2, memory_gib = 4 }
      mysql         = { machines = 4, vcpus = 2, memory_gib = 4 }
      redis         = { machines = 6, vcpus = 2, memory_gib = 4 }
      elasticsearch = { machines = 3, vcpus = 2, memory_gib = 4 }
      consul        = { machines = 3, vcpus = 2, memory_gib = 4 }
    }
  }

  expect_failures = [var.tiers]
}

run "four_servers_of_consul" {
  command = plan

  variables {
    tiers = {
      gateway       = { machines = 2, vcpus = 2, memory_gib = 4 }
      web           = { machines = 6, vcpus = 2, memory_gib = 4 }
      mysql         = { machines = 4, vcpus = 2, memory_gib = 4 }
      redis         = { machines = 6, vcpus = 2, memory_gib = 4 }
      elasticsearch = { machines = 3, vcpus = 2, memory_gib = 4 }
      consul        = { machines = 4, vcpus = 2, memory_gib = 4 }
    }
  }

  expect_failures = [var.tiers]
}

run "half_a_pair_of_mysql" {
  command = plan

  variables {
    tiers = {
      gateway       = { machines = 2, vcpus = 2, memory_gib = 4 }
      web           = { machines = 6, vcpus = 2, memory_gib = 4 }
      mysql         = { machines = 3, vcpus = 2, memory_gib = 4 }
      redis         = { machines = 6, vcpus = 2, memory_gib = 4 }
      elasticsearch = { machines = 3, vcpus = 2, memory_gib = 4 }
      consul        = { machines = 3, vcpus = 2, memory_gib = 4 }
    }
  }

  expect_failures = [var.tiers]
}

run "lone_web_machine" {
  command = plan

  variables {
    web_machines = 1
  }

  expect_failures = [var.web_machines]
}

run "two_racks" {
  command = plan

  variables {
    failure_domains = { alpha = "rack-1", beta = "rack-1", gamma = "rack-2", delta = "rack-2" }
  }

  expect_failures = [var.failure_domains]
}

run "domain_of_no_host" {
  command = plan

  variables {
    failure_domains = { epsilon = "rack-1" }
  }

  expect_failures = [var.failure_domains]
}

run "witness_of_no_host" {
  command = plan

  variables {
    witnesses = ["epsilon"]
  }

  expect_failures = [var.witnesses]
}

run "network_without_room" {
  command = plan

  variables {
    network = { bridge = "br0", cidr = "10.0.0.0/24" }
  }

  expect_failures = [var.network]
}

run "class_of_no_tier" {
  command = plan

  variables {
    allow_change = { search = "reboot" }
  }

  expect_failures = [var.allow_change]
}

run "database_of_no_pair" {
  command = plan

  variables {
    databases = { orders = 3 }
  }

  expect_failures = [var.databases]
}

run "user_of_no_database" {
  command = plan

  variables {
    database_users = { shop = { database = "other" } }
  }

  expect_failures = [var.database_users]
}

run "address_of_two_machines" {
  command = plan

  variables {
    network = { bridge = "br0", cidr = "10.0.0.0/22", first = { redis = 41 } }
  }

  expect_failures = [output.machines]
}

run "address_of_a_machine_and_the_gateways" {
  command = plan

  variables {
    address = "10.0.0.31/22"
  }

  expect_failures = [output.machines]
}
