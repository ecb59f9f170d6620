# One run for each validation.

mock_provider "hypervisor" {}

variables {
  machines = {
    web-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.101/24", memory = "4GiB" }
  }
  image   = { volumes = { alpha = "alpha/default/debian-12.qcow2" } }
  network = { bridge = "br0" }
}

run "name_that_is_no_host_name" {
  command = plan

  variables {
    machines = {
      WEB_1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.101/24", memory = "4GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "address_without_prefix" {
  command = plan

  variables {
    machines = {
      web-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.101", memory = "4GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "address_twice" {
  command = plan

  variables {
    machines = {
      web-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.101/24", memory = "4GiB" }
      web-2 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.101/24", memory = "4GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "memory_without_unit" {
  command = plan

  variables {
    machines = {
      web-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.101/24", memory = "4096" }
    }
  }

  expect_failures = [var.machines]
}

run "data_named_as_the_system" {
  command = plan

  variables {
    machines = {
      web-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.101/24", memory = "4GiB", data = { root = "10GiB" } }
    }
  }

  expect_failures = [var.machines]
}

run "image_of_an_unknown_kind" {
  command = plan

  variables {
    image = { volumes = { alpha = "alpha/default/debian-12.iso" }, kind = "cdrom" }
  }

  expect_failures = [var.image]
}

run "host_without_an_image" {
  command = plan

  variables {
    image = { volumes = { beta = "beta/default/debian-12.qcow2" } }
  }

  expect_failures = [var.image]
}

run "gateway_with_a_prefix" {
  command = plan

  variables {
    network = { bridge = "br0", gateway = "10.0.0.1/24" }
  }

  expect_failures = [var.network]
}

run "user_data_of_nobody" {
  command = plan

  variables {
    user_data = { web-9 = "#cloud-config\nruncmd: []\n" }
  }

  expect_failures = [var.user_data]
}

run "user_data_that_is_a_script" {
  command = plan

  variables {
    user_data = { web-1 = "#!/bin/sh\n" }
  }

  expect_failures = [var.user_data]
}

run "secrets_of_another_machine" {
  command = plan

  variables {
    secrets         = { web-9 = "#cloud-config\nruncmd: []\n" }
    secrets_version = 1
  }

  expect_failures = [var.secrets]
}

run "secrets_that_are_a_script" {
  command = plan

  variables {
    secrets         = { web-1 = "#!/bin/sh\n" }
    secrets_version = 1
  }

  expect_failures = [var.secrets]
}

run "secrets_without_a_version" {
  command = plan

  variables {
    secrets = { web-1 = "#cloud-config\nruncmd: []\n" }
  }

  expect_failures = [var.secrets]
}

run "wait_for_no_port" {
  command = plan

  variables {
    wait_for = { port = 0 }
  }

  expect_failures = [var.wait_for]
}

run "change_of_an_unknown_class" {
  command = plan

  variables {
    allow_change = "anything"
  }

  expect_failures = [var.allow_change]
}

run "stopped_machine_that_there_is_not" {
  command = plan

  variables {
    stopped = ["web-9"]
  }

  expect_failures = [var.stopped]
}
