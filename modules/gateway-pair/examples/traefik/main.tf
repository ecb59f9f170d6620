# Two machines with Traefik share the address 10.0.0.100. The placement is written down here; a hypervisor_placement decides it.

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
  }
}

module "gateway" {
  source = "../.."

  address = "10.0.0.100/24"

  machines = {
    gateway-1 = { placement = { host = "alpha", pins = ["2", "34"], emulator = "0,32" }, address = "10.0.0.31/24", memory = "4GiB" }
    gateway-2 = { placement = { host = "beta", pins = ["2", "34"], emulator = "0,32" }, address = "10.0.0.32/24", memory = "4GiB" }
  }

  image   = { volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2" } }
  network = { bridge = "br0", gateway = "10.0.0.1", nameservers = ["10.0.0.1"] }
  consul  = { files = { "/etc/consul.d/agent.json" = jsonencode({ retry_join = ["10.0.0.21", "10.0.0.22", "10.0.0.23"] }) } }

  routes = { shop = { service = "web", tries = 2 } }
}

output "files" {
  value = module.gateway.files
}

output "timers" {
  value = module.gateway.timers # another machine has the address after 1.2 s
}
