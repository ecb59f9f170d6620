# Two servers on two hosts, and a sentinel on a third. The placement is written down here; a hypervisor_placement decides it.

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

variable "password" {
  description = "Password of the servers, from the environment (`TF_VAR_password`)."
  type        = string
  ephemeral   = true
  default     = "only-for-the-example"
}

module "redis" {
  source = "../.."

  machines = {
    redis-1       = { placement = { host = "alpha", pins = ["2", "34"], emulator = "0,32" }, address = "10.0.0.81/24", memory = "8GiB" }
    redis-2       = { placement = { host = "beta", pins = ["2", "34"], emulator = "0,32" }, address = "10.0.0.82/24", memory = "8GiB" }
    redis-witness = { placement = { host = "gamma", pins = ["1"], emulator = "0" }, address = "10.0.0.83/24", memory = "512MiB" }
  }
  witness  = "redis-witness"
  password = var.password

  image   = { volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.qcow2" } }
  network = { bridge = "br0", gateway = "10.0.0.1", nameservers = ["10.0.0.1"] }
  consul  = { files = { "/etc/consul.d/agent.json" = jsonencode({ retry_join = ["10.0.0.21", "10.0.0.22", "10.0.0.23"] }) } }
}

output "services" {
  value = module.redis.services
}

output "files" {
  value = module.redis.files
}
