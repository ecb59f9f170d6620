# One run for each validation.

mock_provider "hypervisor" {}

variables {
  machines = {
    docker-1 = { placement = { host = "alpha", pins = ["0", "1"] }, address = "10.0.0.91/24", memory = "4GiB" }
    docker-2 = { placement = { host = "beta", pins = ["2", "3"] }, address = "10.0.0.92/24", memory = "4GiB" }
    docker-3 = { placement = { host = "gamma", pins = ["4", "5"] }, address = "10.0.0.93/24", memory = "4GiB" }
    docker-4 = { placement = { host = "alpha", pins = ["6", "7"] }, address = "10.0.0.94/24", memory = "4GiB" }
  }
  image    = { volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.qcow2" } }
  network  = { bridge = "br0" }
  managers = ["docker-1", "docker-2", "docker-3"]
}

run "no_machine" {
  command = plan

  variables {
    machines = {}
    managers = []
  }

  expect_failures = [var.machines]
}

run "managers_of_others" {
  command = plan

  variables {
    managers = ["docker-9"]
  }

  expect_failures = [var.managers]
}

run "even_managers" {
  command = plan

  variables {
    managers = ["docker-1", "docker-2"]
  }

  expect_failures = [var.managers]
}

run "majority_on_one_host" {
  command = plan

  variables {
    managers = ["docker-1", "docker-2", "docker-4"]
  }

  expect_failures = [var.managers]
}

run "pool_that_is_too_small" {
  command = plan

  variables {
    docker = { address_pools = { "10.200.0.0/24" = 16 } }
  }

  expect_failures = [var.docker]
}

run "log_without_a_unit" {
  command = plan

  variables {
    docker = { log_size = "10" }
  }

  expect_failures = [var.docker]
}

run "setting_of_the_module" {
  command = plan

  variables {
    docker = { settings = { live-restore = true } }
  }

  expect_failures = [var.docker]
}

run "repository_that_signs_for_all" {
  command = plan

  variables {
    repositories = { vendor = { source = "deb https://packages.example.com/apt stable main", key = "key" } }
  }

  expect_failures = [var.repositories]
}
