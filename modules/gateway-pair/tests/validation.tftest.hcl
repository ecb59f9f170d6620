# One run for each validation.

mock_provider "hypervisor" {}

variables {
  address = "10.0.0.100/24"
  machines = {
    gateway-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.31/24", memory = "4GiB" }
    gateway-2 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.32/24", memory = "4GiB" }
  }
  image   = { volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2" } }
  network = { bridge = "br0" }
  consul  = { files = {} }
}

run "a_lone_gateway" {
  command = plan

  variables {
    machines = { gateway-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.31/24", memory = "4GiB" } }
  }

  expect_failures = [var.machines]
}

run "both_on_one_host" {
  command = plan

  variables {
    machines = {
      gateway-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.31/24", memory = "4GiB" }
      gateway-2 = { placement = { host = "alpha", pins = ["3"] }, address = "10.0.0.32/24", memory = "4GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "address_without_a_prefix" {
  command = plan

  variables {
    address = "10.0.0.100"
  }

  expect_failures = [var.address]
}

run "address_of_a_machine" {
  command = plan

  variables {
    address = "10.0.0.32/24"
  }

  expect_failures = [var.address]
}

run "unknown_engine" {
  command = plan

  variables {
    engine = "nginx"
  }

  expect_failures = [var.engine]
}

run "service_that_dns_does_not_take" {
  command = plan

  variables {
    service = "the gateway"
  }

  expect_failures = [var.service]
}

run "router_id_of_nobody" {
  command = plan

  variables {
    vrrp = { router_id = 0 }
  }

  expect_failures = [var.vrrp]
}

run "advert_interval_between_steps" {
  command = plan

  variables {
    vrrp = { advert_interval = "333ms" }
  }

  expect_failures = [var.vrrp]
}

run "no_failure_allowed" {
  command = plan

  variables {
    vrrp = { failures = 0 }
  }

  expect_failures = [var.vrrp]
}

run "check_interval_in_fractions" {
  command = plan

  variables {
    check_interval = "500ms"
  }

  expect_failures = [var.check_interval]
}

run "dial_timeout_without_a_unit" {
  command = plan

  variables {
    dial_timeout = "1"
  }

  expect_failures = [var.dial_timeout]
}

run "idle_timeout_without_a_unit" {
  command = plan

  variables {
    idle_timeout = "4"
  }

  expect_failures = [var.idle_timeout]
}

run "grace_time_without_a_unit" {
  command = plan

  variables {
    grace_time = "10"
  }

  expect_failures = [var.grace_time]
}

run "handover_time_without_a_unit" {
  command = plan

  variables {
    handover_time = "2"
  }

  expect_failures = [var.handover_time]
}

run "certificate_with_a_path" {
  command = plan

  variables {
    https = { certificates = ["../shop"] }
  }

  expect_failures = [var.https]
}

run "certificate_that_is_missing" {
  command = plan

  variables {
    https = { certificates = ["shop"] }
  }

  expect_failures = [var.certificates]
}

run "route_without_a_slash" {
  command = plan

  variables {
    routes = { shop = { service = "web", paths = ["shop"] } }
  }

  expect_failures = [var.routes]
}

run "route_that_is_never_tried" {
  command = plan

  variables {
    routes = { shop = { service = "web", tries = 0 } }
  }

  expect_failures = [var.routes]
}

run "routes_beside_a_database" {
  command = plan

  variables {
    engine        = "kong"
    kong          = { postgres = { host = "10.0.0.71" } }
    kong_password = "a password"
    routes        = { shop = { service = "web" } }
  }

  expect_failures = [var.routes]
}

run "database_without_a_password" {
  command = plan

  variables {
    engine = "kong"
    kong   = { postgres = { host = "10.0.0.71" } }
  }

  expect_failures = [var.kong_password]
}

run "password_with_a_quote" {
  command = plan

  variables {
    kong_password = "it's"
  }

  expect_failures = [var.kong_password]
}

run "file_with_a_relative_path" {
  command = plan

  variables {
    files = { "gateway.yml" = "" }
  }

  expect_failures = [var.files]
}
