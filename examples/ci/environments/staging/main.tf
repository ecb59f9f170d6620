terraform {
  required_version = ">= 1.10"
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }

  # Consul's address and token come from CONSUL_HTTP_ADDR and CONSUL_HTTP_TOKEN. Whoever writes the state holds a lock beside it.
  backend "consul" {
    path = "terraform/staging"
    gzip = true
  }
}

provider "hypervisor" {
  hosts = local.hosts
}

locals {
  hosts = {
    alpha = { uri = "qemu+ssh://root@10.1.0.11/system" }
    beta  = { uri = "qemu+ssh://root@10.1.0.12/system" }
  }
}

module "platform" {
  source = "../../platform"

  name    = "staging"
  hosts   = keys(local.hosts)
  image   = "debian-12.qcow2"
  network = "10.1.0.0/24"
  web     = { machines = 2, vcpus = 1, memory = "1GiB" }
}

output "core_map" {
  value = module.platform.core_map
}
