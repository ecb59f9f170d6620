# A shop on two hosts and a witness. The hosts' hardware is written down, so that the plan needs no connection.

terraform {
  required_version = ">= 1.11"

  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  hosts = {
    alpha = { uri = "qemu+ssh://root@10.0.0.11/system" }
    beta  = { uri = "qemu+ssh://root@10.0.0.12/system" }
    gamma = { uri = "qemu+ssh://root@10.0.0.13/system" }
  }
}

module "platform" {
  source  = "../.."
  hosts   = ["alpha", "beta"]
  witness = "gamma"
  address = "10.0.0.100/24"
  network = { bridge = "br0", gateway = "10.0.0.1", nameservers = ["10.0.0.1"] }
  image   = { volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.qcow2" } }
  secrets = var.secrets
  facts   = local.facts

  web   = { count = 4, vcpus = 2, memory = "4GiB", files = { "/var/www/html/index.php" = file("${path.module}/index.php") } }
  mysql = { vcpus = 4, memory = "16GiB", data = "100GiB" }
  redis = { vcpus = 2, memory = "8GiB" }
}

locals {
  # Two sockets of 16 cores with two threads each, and a small machine.
  server  = { nodes = [for first in [0, 16] : { memory = "128GiB", cores = [for core in range(first, first + 16) : "${core},${core + 32}"] }] }
  witness = { nodes = [{ memory = "16GiB", cores = ["0", "1", "2", "3"] }] }
  facts   = { alpha = local.server, beta = local.server, gamma = local.witness }
}

output "address" {
  value = module.platform.address
}

output "core_map" {
  value = module.platform.core_map
}

output "rto_estimate" {
  value = module.platform.rto_estimate
}
