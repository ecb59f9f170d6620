# One run for each validation.

mock_provider "hypervisor" {}

variables {
  machines = {
    redis-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.81/24", memory = "8GiB" }
    redis-2 = { placement = { host = "beta", pins = ["3"] }, address = "10.0.0.82/24", memory = "8GiB" }
    redis-3 = { placement = { host = "gamma", pins = ["1"] }, address = "10.0.0.83/24", memory = "512MiB" }
  }
  witness  = "redis-3"
  password = "only-for-the-tests"
  image    = { volumes = { for host in ["alpha", "beta", "gamma", "redis-1", "redis-2"] : host => "${host}/default/debian-12.qcow2" } }
  network  = { bridge = "br0" }
  consul   = { files = {} }
}

run "three_servers" {
  command = plan

  variables {
    witness         = null
    witness_address = "10.9.0.5"
  }

  expect_failures = [var.machines]
}

run "witness_that_is_nobody" {
  command = plan

  variables {
    witness = "redis-4"
  }

  expect_failures = [var.machines]
}

run "both_servers_on_one_host" {
  command = plan

  variables {
    machines = {
      redis-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.81/24", memory = "8GiB" }
      redis-2 = { placement = { host = "alpha", pins = ["3"] }, address = "10.0.0.82/24", memory = "8GiB" }
      redis-3 = { placement = { host = "gamma", pins = ["1"] }, address = "10.0.0.83/24", memory = "512MiB" }
    }
  }

  expect_failures = [var.machines]
}

run "witness_beside_a_server" {
  command = plan

  variables {
    machines = {
      redis-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.81/24", memory = "8GiB" }
      redis-2 = { placement = { host = "beta", pins = ["3"] }, address = "10.0.0.82/24", memory = "8GiB" }
      redis-3 = { placement = { host = "beta", pins = ["1"] }, address = "10.0.0.83/24", memory = "512MiB" }
    }
  }

  expect_failures = [var.machines]
}

run "two_witnesses" {
  command = plan

  variables {
    witness_address = "10.9.0.5"
  }

  expect_failures = [var.witness]
}

run "witness_address_with_a_prefix" {
  command = plan

  variables {
    witness         = null
    machines        = { for name in ["redis-1", "redis-2"] : name => { placement = { host = name, pins = ["2"] }, address = "10.0.0.8/24", memory = "8GiB" } }
    witness_address = "10.9.0.5/24"
  }

  expect_failures = [var.witness_address]
}

run "failover_without_a_witness" {
  command = plan

  variables {
    witness = null
    machines = {
      redis-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.81/24", memory = "8GiB" }
      redis-2 = { placement = { host = "beta", pins = ["3"] }, address = "10.0.0.82/24", memory = "8GiB" }
    }
  }

  expect_failures = [var.auto_failover]
}

run "name_that_dns_does_not_take" {
  command = plan

  variables {
    name = "redis_1"
  }

  expect_failures = [var.name]
}

run "short_password" {
  command = plan

  variables {
    password = "redis"
  }

  expect_failures = [var.password]
}

run "down_after_without_a_unit" {
  command = plan

  variables {
    down_after = "2"
  }

  expect_failures = [var.down_after]
}

run "failover_timeout_without_a_unit" {
  command = plan

  variables {
    failover_timeout = "10"
  }

  expect_failures = [var.failover_timeout]
}

run "max_lag_without_a_unit" {
  command = plan

  variables {
    max_lag = "3"
  }

  expect_failures = [var.max_lag]
}

run "check_interval_without_a_unit" {
  command = plan

  variables {
    check_interval = "1"
  }

  expect_failures = [var.check_interval]
}

run "all_memory_for_data" {
  command = plan

  variables {
    memory_percent = 100
  }

  expect_failures = [var.memory_percent]
}

run "unknown_eviction" {
  command = plan

  variables {
    eviction = "lru"
  }

  expect_failures = [var.eviction]
}

run "file_with_a_relative_path" {
  command = plan

  variables {
    files = { "redis.conf" = "" }
  }

  expect_failures = [var.files]
}
