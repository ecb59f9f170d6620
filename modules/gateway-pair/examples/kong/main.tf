# The same with Kong and its database, which gateway_upstream and gateway_route write to.

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

variable "password" {
  description = "Password of Kong's account, from the environment (`TF_VAR_password`)."
  type        = string
  ephemeral   = true
  default     = "an example"
}

module "gateway" {
  source = "../.."
  engine = "kong"

  address = "10.0.0.100/24"

  machines = {
    gateway-1 = { placement = { host = "alpha", pins = ["2", "34"], emulator = "0,32" }, address = "10.0.0.31/24", memory = "4GiB" }
    gateway-2 = { placement = { host = "beta", pins = ["2", "34"], emulator = "0,32" }, address = "10.0.0.32/24", memory = "4GiB" }
  }

  image   = { volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2" } }
  network = { bridge = "br0", gateway = "10.0.0.1", nameservers = ["10.0.0.1"] }
  consul  = { files = { "/etc/consul.d/agent.json" = jsonencode({ retry_join = ["10.0.0.21", "10.0.0.22", "10.0.0.23"] }) } }

  kong          = { admin = true, postgres = { host = "10.0.0.71" } }
  kong_password = var.password
}

output "files" {
  value = module.gateway.files
}
