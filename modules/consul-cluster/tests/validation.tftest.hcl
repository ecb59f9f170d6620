# One run for each validation.

mock_provider "hypervisor" {}

variables {
  machines = {
    consul-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.21/24", memory = "2GiB" }
    consul-2 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.22/24", memory = "2GiB" }
    consul-3 = { placement = { host = "gamma", pins = ["2"] }, address = "10.0.0.23/24", memory = "2GiB" }
  }
  image   = { volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2", gamma = "gamma/default/debian-12.qcow2" } }
  network = { bridge = "br0" }
  secrets = {
    gossip_key         = "bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGUuLi4="
    ca_certificate     = "-----BEGIN CERTIFICATE-----\nan example\n-----END CERTIFICATE-----\n"
    server_certificate = "-----BEGIN CERTIFICATE-----\nan example\n-----END CERTIFICATE-----\n"
    server_key         = "-----BEGIN PRIVATE KEY-----\nan example\n-----END PRIVATE KEY-----\n"
    tokens = {
      management = "00000000-0000-0000-0000-00000000aaaa"
      agent      = "00000000-0000-0000-0000-00000000bbbb"
      services   = "00000000-0000-0000-0000-00000000cccc"
    }
  }
}

run "two_servers" {
  command = plan

  variables {
    machines = {
      consul-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.21/24", memory = "2GiB" }
      consul-2 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.22/24", memory = "2GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "two_servers_on_one_host" {
  command = plan

  variables {
    machines = {
      consul-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.21/24", memory = "2GiB" }
      consul-2 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.22/24", memory = "2GiB" }
      consul-3 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.23/24", memory = "2GiB" }
    }
  }

  expect_failures = [var.machines]
}

run "survives_something_else" {
  command = plan

  variables {
    survives = "rack"
  }

  expect_failures = [var.survives]
}

run "two_servers_in_one_failure_domain" {
  command = plan

  variables {
    domains = { beta = "rack-1", gamma = "rack-1" }
  }

  expect_failures = [var.machines]
}

run "datacenter_that_is_no_name" {
  command = plan

  variables {
    datacenter = "Data Center"
  }

  expect_failures = [var.datacenter]
}

run "gossip_key_that_is_too_short" {
  command = plan

  variables {
    secrets = {
      gossip_key         = "c2hvcnQ="
      ca_certificate     = "-----BEGIN CERTIFICATE-----"
      server_certificate = "-----BEGIN CERTIFICATE-----"
      server_key         = "-----BEGIN PRIVATE KEY-----"
      tokens             = { management = "00000000-0000-0000-0000-00000000aaaa", agent = "00000000-0000-0000-0000-00000000bbbb", services = "00000000-0000-0000-0000-00000000cccc" }
    }
  }

  expect_failures = [var.secrets]
}

run "server_key_that_is_a_path" {
  command = plan

  variables {
    secrets = {
      gossip_key         = "bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGUuLi4="
      ca_certificate     = "-----BEGIN CERTIFICATE-----"
      server_certificate = "-----BEGIN CERTIFICATE-----"
      server_key         = "/etc/ssl/server.pem"
      tokens             = { management = "00000000-0000-0000-0000-00000000aaaa", agent = "00000000-0000-0000-0000-00000000bbbb", services = "00000000-0000-0000-0000-00000000cccc" }
    }
  }

  expect_failures = [var.secrets]
}

run "tokens_without_services" {
  command = plan

  variables {
    secrets = {
      gossip_key         = "bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGUuLi4="
      ca_certificate     = "-----BEGIN CERTIFICATE-----"
      server_certificate = "-----BEGIN CERTIFICATE-----"
      server_key         = "-----BEGIN PRIVATE KEY-----"
      tokens             = { management = "00000000-0000-0000-0000-00000000aaaa", agent = "00000000-0000-0000-0000-00000000bbbb" }
    }
  }

  expect_failures = [var.secrets]
}

run "token_without_a_policy" {
  command = plan

  variables {
    secrets = {
      gossip_key         = "bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGUuLi4="
      ca_certificate     = "-----BEGIN CERTIFICATE-----"
      server_certificate = "-----BEGIN CERTIFICATE-----"
      server_key         = "-----BEGIN PRIVATE KEY-----"
      tokens             = { management = "00000000-0000-0000-0000-00000000aaaa", agent = "00000000-0000-0000-0000-00000000bbbb", services = "00000000-0000-0000-0000-00000000cccc", backup = "00000000-0000-0000-0000-00000000dddd" }
    }
  }

  expect_failures = [var.secrets]
}

run "policy_of_management" {
  command = plan

  variables {
    policies = { management = "acl = \"write\"" }
  }

  expect_failures = [var.policies]
}

run "probe_interval_without_unit" {
  command = plan

  variables {
    detection = { probe_interval = "500" }
  }

  expect_failures = [var.detection]
}

run "suspicion_that_cannot_be_refuted" {
  command = plan

  variables {
    detection = { suspicion_mult = 1 }
  }

  expect_failures = [var.detection]
}

run "probe_that_outlasts_its_interval" {
  command = plan

  variables {
    detection = { probe_timeout = "1s" }
  }

  expect_failures = [output.detection]
}

run "dns_ttl_of_zero" {
  command = plan

  variables {
    dns_ttl = "0s"
  }

  expect_failures = [var.dns_ttl]
}

run "service_ttl_of_zero" {
  command = plan

  variables {
    service_ttl = { mysql-writer = "0s" }
  }

  expect_failures = [var.service_ttl]
}
