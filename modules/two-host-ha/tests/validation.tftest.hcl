# One run for each validation.

mock_provider "hypervisor" {
  mock_resource "hypervisor_placement" {
    defaults = {
      core_map = "a map"
      assignments = {
        for name, host in {
          gateway-1 = "alpha", consul-1 = "alpha", mysql-1 = "alpha", redis-1 = "alpha", web-1 = "alpha"
          gateway-2 = "beta", consul-2 = "beta", mysql-2 = "beta", redis-2 = "beta", web-2 = "beta"
          consul-3  = "gamma", redis-3 = "gamma"
        } : name => { host = host, pins = ["2", "34"], emulator = null, memory = null, node_memory = null, node_pages = null, nodes = null, page_size = null }
      }
    }
  }
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

run "one_host" {
  command = plan

  variables {
    hosts = ["alpha"]
  }

  expect_failures = [var.hosts]
}

run "witness_that_is_a_host" {
  command = plan

  variables {
    witness = "beta"
  }

  expect_failures = [var.witness]
}

run "failover_without_a_witness" {
  command = plan

  variables {
    witness = null
  }

  expect_failures = [var.auto_failover]
}

run "address_without_a_prefix" {
  command = plan

  variables {
    address = "10.0.0.100"
  }

  expect_failures = [var.address]
}

run "address_without_room_after_it" {
  command = plan

  variables {
    address = "10.0.0.220/24"
  }

  expect_failures = [var.address]
}

run "address_of_nobody" {
  command = plan

  variables {
    addresses = { web-9 = "10.0.0.7/24" }
  }

  expect_failures = [var.addresses]
}

run "a_lone_web_machine" {
  command = plan

  variables {
    web = { count = 1 }
  }

  expect_failures = [var.web]
}

run "maintenance_of_nobody" {
  command = plan

  variables {
    maintenance = "delta"
  }

  expect_failures = [var.maintenance]
}

run "dns_ttl_of_zero" {
  command = plan

  variables {
    dns_ttl = "0s"
  }

  expect_failures = [var.dns_ttl]
}

run "no_token_for_the_pair" {
  command = plan

  variables {
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
        }
      }
      mysql          = { replication = "an example" }
      redis_password = "only-for-the-tests"
    }
  }

  expect_failures = [var.secrets]
}
