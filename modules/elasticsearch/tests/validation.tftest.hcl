# One run for each validation.

mock_provider "hypervisor" {}

variables {
  machines = {
    search-1 = { placement = { host = "alpha", pins = ["2", "34"] }, address = "10.0.0.81/24", memory = "16GiB", data = { data = "100GiB" } }
    search-2 = { placement = { host = "beta", pins = ["2", "34"] }, address = "10.0.0.82/24", memory = "16GiB" }
    search-3 = { placement = { host = "gamma", pins = ["2", "34"] }, address = "10.0.0.83/24", memory = "128GiB" }
    search-4 = { placement = { host = "alpha", pins = ["3", "35"] }, address = "10.0.0.84/24", memory = "16GiB" }
  }
  image    = { volumes = { for host in ["alpha", "beta", "gamma", "delta"] : host => "${host}/default/debian-12.qcow2" } }
  network  = { bridge = "br0" }
  consul   = { files = { "/etc/consul.d/agent.json" = "{}" } }
  security = false
}

run "two_nodes" {
  command = plan

  variables {
    machines = {
      search-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.81/24", memory = "16GiB" }
      search-2 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.82/24", memory = "16GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "two_hosts" {
  command = plan

  variables {
    machines = {
      search-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.81/24", memory = "16GiB" }
      search-2 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.82/24", memory = "16GiB" }
      search-3 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.83/24", memory = "16GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "three_hosts_in_two_racks" {
  command = plan

  variables {
    failure_domains = { alpha = "rack-1", beta = "rack-1", gamma = "rack-2" }
  }

  expect_failures = [var.machines]
}

run "node_without_memory" {
  command = plan

  variables {
    machines = {
      search-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.81/24", memory = "1GiB" }
      search-2 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.82/24", memory = "1GiB" }
      search-3 = { placement = { host = "gamma", pins = ["2"] }, address = "10.0.0.83/24", memory = "1GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "cluster_that_is_no_name" {
  command = plan

  variables {
    cluster = "My Search"
  }

  expect_failures = [var.cluster]
}

run "heap_in_words" {
  command = plan

  variables {
    heap = "much"
  }

  expect_failures = [var.heap]
}

run "heap_of_long_pointers" {
  command = plan

  variables {
    machines = {
      search-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.81/24", memory = "128GiB" }
      search-2 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.82/24", memory = "128GiB" }
      search-3 = { placement = { host = "gamma", pins = ["2"] }, address = "10.0.0.83/24", memory = "128GiB" }
    }
    heap = "31GiB"
  }

  expect_failures = [var.heap]
}

run "heap_of_all_memory" {
  command = plan

  variables {
    heap = "12GiB"
  }

  expect_failures = [var.heap]
}

run "setting_of_the_module" {
  command = plan

  variables {
    settings = { "node.name" = "other" }
  }

  expect_failures = [var.settings]
}

run "certificates_that_are_paths" {
  command = plan

  variables {
    security     = true
    certificates = { ca = "ca.crt", certificate = "node.crt", key = "node.key" }
  }

  expect_failures = [var.certificates]
}

run "security_without_certificates" {
  command = plan

  variables {
    security = true
  }

  expect_failures = [var.certificates]
}

run "repository_that_signs_for_all" {
  command = plan

  variables {
    repositories = { vendor = { source = "deb https://packages.example.com/apt stable main", key = "key" } }
  }

  expect_failures = [var.repositories]
}
