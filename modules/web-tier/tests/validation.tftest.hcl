# One run for each validation.

mock_provider "hypervisor" {}

variables {
  machines = { web-1 = { placement = { host = "alpha", pins = ["2", "34"] }, address = "10.0.0.101/24", memory = "4GiB" } }
  image    = { volumes = { alpha = "alpha/default/debian-12.qcow2" } }
  network  = { bridge = "br0" }
  consul   = { files = {} }
}

run "no_machines" {
  command = plan

  variables {
    machines = {}
  }

  expect_failures = [var.machines]
}

run "service_that_dns_does_not_take" {
  command = plan

  variables {
    service = "web_tier"
  }

  expect_failures = [var.service]
}

run "port_out_of_range" {
  command = plan

  variables {
    port = 70000
  }

  expect_failures = [var.port]
}

run "health_path_without_a_slash" {
  command = plan

  variables {
    health_path = "health"
  }

  expect_failures = [var.health_path]
}

run "check_without_a_unit" {
  command = plan

  variables {
    check = { interval = "2" }
  }

  expect_failures = [var.check]
}

run "drain_time_without_a_unit" {
  command = plan

  variables {
    drain_time = "10"
  }

  expect_failures = [var.drain_time]
}

run "unknown_server" {
  command = plan

  variables {
    server = "nginx"
  }

  expect_failures = [var.server]
}

run "worker_memory_without_a_unit" {
  command = plan

  variables {
    apache = { worker_memory = "64" }
  }

  expect_failures = [var.apache]
}

run "apache_timeout_without_a_unit" {
  command = plan

  variables {
    apache = { timeout = "30" }
  }

  expect_failures = [var.apache]
}

run "memory_that_holds_no_worker" {
  command = plan

  variables {
    apache = { worker_memory = "2GiB" }
  }

  expect_failures = [output.workers]
}

run "file_with_a_relative_path" {
  command = plan

  variables {
    files = { "index.php" = "" }
  }

  expect_failures = [var.files]
}
