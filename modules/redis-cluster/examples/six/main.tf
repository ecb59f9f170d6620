# Three masters with a replica each, over two hosts and a witness that has one machine. Hosts are written down, so that it is planned
# before there are any.

terraform {
  required_version = ">= 1.11"

  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  hosts = { for name in keys(local.hosts) : name => { uri = terraform_data.uri[name].output } }
}

# Unknown until an apply: a plan then asks no host.
resource "terraform_data" "uri" {
  for_each = local.hosts
  input    = "qemu+ssh://root@${each.key}/system"
}

variable "subnet" {
  description = "Network of the machines."
  type        = string
  default     = "10.0.0.0/24"
}

variable "password" {
  description = "Password of the cluster."
  type        = string
  default     = "change-me-before-you-apply"
  ephemeral   = true
}

locals {
  hosts = {
    alpha = { nodes = [{ memory = "128GiB", cores = [for core in range(16) : "${core},${core + 16}"] }] }
    beta  = { nodes = [{ memory = "128GiB", cores = [for core in range(16) : "${core},${core + 16}"] }] }
    gamma = { nodes = [{ memory = "16GiB", cores = [for core in range(4) : "${core},${core + 4}"] }] }
  }

  # The witness has one machine only, since the group "witness" is where it can be.
  names = { for n in range(1, 7) : "redis-${n}" => n == 6 ? "witness" : "redis" }
}

resource "hypervisor_placement" "redis" {
  hosts    = local.hosts
  machines = { for name, group in local.names : name => { vcpus = 2, memory = "8GiB", group = group } }
  groups = {
    redis   = { spread = "evenly", avoid = ["gamma"] }
    witness = { avoid = ["alpha", "beta"] }
  }
}

module "redis" {
  source = "../.."

  machines = {
    for name in keys(local.names) : name => {
      placement = hypervisor_placement.redis.assignments[name]
      address   = "${cidrhost(var.subnet, 70 + tonumber(split("-", name)[1]))}/24"
      memory    = "8GiB"
      data      = { redis = "20GiB" }
    }
  }
  image    = { volumes = { for host in keys(local.hosts) : host => "${host}/default/debian-12.qcow2" } }
  network  = { bridge = "br0", gateway = "10.0.0.1" }
  consul   = { files = {} }
  password = var.password
}

output "hosts" {
  value = { for name, place in hypervisor_placement.redis.assignments : name => place.host }
}

output "shards" {
  value = module.redis.shards
}

output "files" {
  value = module.redis.files
}
