# One run for each validation.

mock_provider "hypervisor" {}

variables {
  machines = {
    mysql-1 = { placement = { host = "alpha", pins = ["4"] }, address = "10.0.0.61/24", memory = "16GiB" }
    mysql-2 = { placement = { host = "beta", pins = ["4"] }, address = "10.0.0.62/24", memory = "16GiB" }
  }
  image     = { volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2" } }
  network   = { bridge = "br0" }
  consul    = { files = { "/etc/consul.d/consul.json" = "{}" } }
  data_size = "200GiB"
  databases = ["shop"]
  users     = { shop = { database = "shop", from = "10.0.0.%" } }
  passwords = { replication = "not-in-the-plan", users = { shop = "not-in-the-plan-either" } }
}

run "a_pair_of_one" {
  command = plan

  variables {
    machines = {
      mysql-1 = { placement = { host = "alpha", pins = ["4"] }, address = "10.0.0.61/24", memory = "16GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "tls_without_a_certificate_of_a_member" {
  command = plan

  variables {
    tls          = true
    certificates = { ca = "-----BEGIN CERTIFICATE-----", servers = { mysql-1 = { certificate = "-----BEGIN CERTIFICATE-----", key = "a key" } } }
  }

  expect_failures = [var.certificates]
}

run "both_on_one_host" {
  command = plan

  variables {
    machines = {
      mysql-1 = { placement = { host = "alpha", pins = ["4"] }, address = "10.0.0.61/24", memory = "16GiB" }
      mysql-2 = { placement = { host = "alpha", pins = ["4"] }, address = "10.0.0.62/24", memory = "16GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "address_that_is_no_ipv4" {
  command = plan

  variables {
    machines = {
      mysql-1 = { placement = { host = "alpha", pins = ["4"] }, address = "fd00::1/64", memory = "16GiB" }
      mysql-2 = { placement = { host = "beta", pins = ["4"] }, address = "fd00::2/64", memory = "16GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "name_with_a_blank" {
  command = plan

  variables {
    name = "my shop"
  }

  expect_failures = [var.name]
}

run "first_of_another_pair" {
  command = plan

  variables {
    first = "mysql-9"
  }

  expect_failures = [var.first]
}

run "data_size_without_unit" {
  command = plan

  variables {
    data_size = "200"
  }

  expect_failures = [var.data_size]
}

run "database_of_the_server" {
  command = plan

  variables {
    databases = ["shop", "mysql"]
  }

  expect_failures = [var.databases]
}

run "user_root" {
  command = plan

  variables {
    users     = { root = { database = "shop" } }
    passwords = { replication = "long enough", users = { root = "long enough" } }
  }

  expect_failures = [var.users]
}

run "user_of_no_database" {
  command = plan

  variables {
    users     = { blog = { database = "blog" } }
    passwords = { replication = "long enough", users = { blog = "long enough" } }
  }

  expect_failures = [var.users]
}

run "privileges_that_are_sql" {
  command = plan

  variables {
    users = { shop = { database = "shop", privileges = ["ALL ON *.* TO shop; --"] } }
  }

  expect_failures = [var.users]
}

run "password_of_nobody" {
  command = plan

  variables {
    passwords = { replication = "long enough" }
  }

  expect_failures = [var.passwords]
}

run "password_that_is_short" {
  command = plan

  variables {
    passwords = { replication = "short", users = { shop = "long enough" } }
  }

  expect_failures = [var.passwords]
}

run "service_that_the_policy_does_not_allow" {
  command = plan

  variables {
    services = { writer = "web" }
  }

  expect_failures = [var.services]
}

run "timer_of_zero" {
  command = plan

  variables {
    timers = { lock_delay = "0s" }
  }

  expect_failures = [var.timers]
}

run "session_that_consul_refuses" {
  command = plan

  variables {
    timers = { session_ttl = "5s" }
  }

  expect_failures = [var.timers]
}

run "dns_ttl_of_zero" {
  command = plan

  variables {
    dns_ttl = "0s"
  }

  expect_failures = [var.dns_ttl]
}

run "buffer_pool_of_everything" {
  command = plan

  variables {
    buffer_pool_percent = 100
  }

  expect_failures = [var.buffer_pool_percent]
}

run "setting_that_the_pair_depends_on" {
  command = plan

  variables {
    settings = { sync_binlog = "0" }
  }

  expect_failures = [var.settings]
}
