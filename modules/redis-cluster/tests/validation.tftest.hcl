# One run for each validation.

mock_provider "hypervisor" {}

variables {
  machines = {
    for n in range(6) : "redis-${n + 1}" => { placement = { host = ["alpha", "beta", "gamma"][n % 3], pins = ["${n}"] }, address = "10.0.0.${71 + n}/24", memory = "8GiB" }
  }
  image    = { volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.qcow2" } }
  network  = { bridge = "br0" }
  consul   = { files = {} }
  password = "not-a-real-password"
}

run "machines_that_do_not_come_in_pairs" {
  command = plan

  variables {
    machines = {
      for n in range(7) : "redis-${n + 1}" => { placement = { host = ["alpha", "beta", "gamma"][n % 3], pins = ["${n}"] }, address = "10.0.0.${71 + n}/24", memory = "8GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "two_masters" {
  command = plan

  variables {
    machines = {
      for n in range(4) : "redis-${n + 1}" => { placement = { host = ["alpha", "beta"][n % 2], pins = ["${n}"] }, address = "10.0.0.${71 + n}/24", memory = "8GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "half_of_the_masters_on_one_host" {
  command = plan

  variables {
    machines = {
      for n in range(6) : "redis-${n + 1}" => { placement = { host = ["alpha", "beta"][n % 2], pins = ["${n}"] }, address = "10.0.0.${71 + n}/24", memory = "8GiB" }
    }
  }

  expect_failures = [output.shards]
}

run "replica_beside_its_master" {
  command = plan

  variables {
    machines = {
      for n in range(6) : "redis-${n + 1}" => { placement = { host = ["alpha", "beta", "gamma", "alpha", "alpha", "alpha"][n], pins = ["${n}"] }, address = "10.0.0.${71 + n}/24", memory = "8GiB" }
    }
  }

  expect_failures = [output.shards]
}

run "no_replica" {
  command = plan

  variables {
    replicas = 0
  }

  expect_failures = [var.replicas]
}

run "password_that_is_guessed" {
  command = plan

  variables {
    password = "secret"
  }

  expect_failures = [var.password]
}

run "service_that_is_no_name" {
  command = plan

  variables {
    service = "Redis Cluster"
  }

  expect_failures = [var.service]
}

run "port_without_a_bus" {
  command = plan

  variables {
    port = 60000
  }

  expect_failures = [var.port]
}

run "node_timeout_of_no_time" {
  command = plan

  variables {
    node_timeout = "10ms"
  }

  expect_failures = [var.node_timeout]
}

run "all_memory_for_data" {
  command = plan

  variables {
    memory_percent = 100
  }

  expect_failures = [var.memory_percent]
}

run "eviction_of_nobody" {
  command = plan

  variables {
    eviction = "random"
  }

  expect_failures = [var.eviction]
}
