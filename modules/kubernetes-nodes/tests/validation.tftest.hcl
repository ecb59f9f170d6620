# One run for each validation.

mock_provider "hypervisor" {}

variables {
  machines = {
    node-1 = { placement = { host = "alpha", pins = ["0", "1"] }, address = "10.0.0.91/24", memory = "4GiB" }
    node-2 = { placement = { host = "beta", pins = ["2", "3"] }, address = "10.0.0.92/24", memory = "4GiB" }
    node-3 = { placement = { host = "gamma", pins = ["4", "5"] }, address = "10.0.0.93/24", memory = "4GiB" }
    node-4 = { placement = { host = "alpha", pins = ["6", "7"] }, address = "10.0.0.94/24", memory = "4GiB" }
    node-5 = { placement = { host = "beta", pins = ["8", "9"] }, address = "10.0.0.95/24", memory = "4GiB" }
  }
  image         = { volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.qcow2" } }
  network       = { bridge = "br0" }
  endpoint      = "10.0.0.100:6443"
  control_plane = ["node-1", "node-2", "node-3"]
}

run "no_machine" {
  command = plan

  variables {
    machines      = {}
    control_plane = []
  }

  expect_failures = [var.machines]
}

run "control_plane_of_others" {
  command = plan

  variables {
    control_plane = ["node-1", "node-2", "node-9"]
  }

  expect_failures = [var.control_plane]
}

run "even_control_plane" {
  command = plan

  variables {
    control_plane = ["node-1", "node-2"]
  }

  expect_failures = [var.control_plane]
}

run "majority_on_one_host" {
  command = plan

  variables {
    control_plane = ["node-1", "node-2", "node-4"]
  }

  expect_failures = [var.control_plane]
}

run "control_plane_of_one_vcpu" {
  command = plan

  variables {
    machines      = { node-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.91/24", memory = "4GiB" } }
    control_plane = ["node-1"]
  }

  expect_failures = [var.control_plane]
}

run "control_plane_without_memory" {
  command = plan

  variables {
    machines      = { node-1 = { placement = { host = "alpha", pins = ["2", "3"] }, address = "10.0.0.91/24", memory = "1GiB" } }
    control_plane = ["node-1"]
  }

  expect_failures = [var.control_plane]
}

run "endpoint_without_a_port" {
  command = plan

  variables {
    endpoint = "10.0.0.100"
  }

  expect_failures = [var.endpoint]
}

run "version_without_a_v" {
  command = plan

  variables {
    kubernetes = { version = "1.31" }
  }

  expect_failures = [var.kubernetes]
}

run "subnet_that_is_none" {
  command = plan

  variables {
    kubernetes = { pod_subnet = "10.244" }
  }

  expect_failures = [var.kubernetes]
}

run "reserved_cpus_in_words" {
  command = plan

  variables {
    kubernetes = { reserved_cpus = "one" }
  }

  expect_failures = [var.kubernetes]
}

run "labels_of_others" {
  command = plan

  variables {
    labels = { node-9 = { disk = "fast" } }
  }

  expect_failures = [var.labels]
}

run "repository_that_signs_for_all" {
  command = plan

  variables {
    repositories = { vendor = { source = "deb https://packages.example.com/apt stable main", key = "key" } }
  }

  expect_failures = [var.repositories]
}
