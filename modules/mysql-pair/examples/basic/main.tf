# A pair on two hosts with a database for a shop.

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

variable "passwords" {
  description = "From the environment (`TF_VAR_passwords`) or a secret store."
  type        = object({ replication = string, users = map(string) })
  ephemeral   = true
  default     = { replication = "an example", users = { shop = "an example" } }
}

module "mysql" {
  source = "../.."

  machines = {
    mysql-1 = { placement = { host = "alpha", pins = ["4", "36"] }, address = "10.0.0.61/24", memory = "16GiB" }
    mysql-2 = { placement = { host = "beta", pins = ["4", "36"] }, address = "10.0.0.62/24", memory = "16GiB" }
  }

  image   = { volumes = { for host in ["alpha", "beta"] : host => "${host}/default/debian-12.qcow2" } }
  network = { bridge = "br0", gateway = "10.0.0.1", nameservers = ["10.0.0.1"] }
  consul  = { files = {} } # module.consul.agent

  data_size = "200GiB"
  databases = ["shop"]
  users     = { shop = { database = "shop", from = "10.0.0.%" } }
  passwords = var.passwords
}

output "services" {
  value = module.mysql.services
}

output "rto_estimate" {
  value = module.mysql.rto_estimate
}
