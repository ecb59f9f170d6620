# Two machines, one on each host, with a disk for what must outlive them. The placement is written down here; a
# hypervisor_placement decides it.

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
  description = "Password of the application, from the environment (`TF_VAR_password`)."
  type        = string
  ephemeral   = true
  default     = "an example"
}

locals {
  machines = {
    shop-1 = { host = "alpha", address = "10.0.0.101/24" }
    shop-2 = { host = "beta", address = "10.0.0.102/24" }
  }
}

module "machines" {
  source = "../.."

  machines = {
    for name, machine in local.machines : name => {
      placement = { host = machine.host, pins = ["2", "34"], emulator = "0,32" }
      address   = machine.address
      memory    = "4GiB"
      data      = { shop = "50GiB" }
    }
  }

  image = {
    volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2" }
  }

  network = { bridge = "br0", gateway = "10.0.0.1", nameservers = ["10.0.0.1"] }

  user_data = {
    for name in keys(local.machines) : name => "#cloud-config\n${yamlencode({
      write_files = [{ path = "/etc/shop/name", content = name }]
      runcmd      = [["systemctl", "enable", "--now", "apache2"]]
    })}"
  }

  secrets = {
    for name in keys(local.machines) : name => "#cloud-config\n${yamlencode({
      write_files = [{ path = "/etc/shop/password", content = var.password, permissions = "0600" }]
    })}"
  }
  secrets_version = 1

  wait_for = { port = 80 }
}

output "machines" {
  value = module.machines.machines
}
