# Four nodes over three hosts, of which three vote. Hosts are written down, so that it is planned before there are any.

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

locals {
  hosts = { for name in ["alpha", "beta", "gamma"] : name => { nodes = [{ memory = "128GiB", cores = [for core in range(16) : "${core},${core + 16}"] }] } }
  nodes = { for n in range(1, 5) : "search-${n}" => "10.0.0.8${n}/24" }
}

resource "hypervisor_placement" "search" {
  hosts    = local.hosts
  machines = { for name in keys(local.nodes) : name => { vcpus = 4, memory = "16GiB", group = "search" } }
  groups   = { search = { spread = "evenly" } }
}

module "search" {
  source = "../.."

  machines = {
    for name, address in local.nodes : name => {
      placement = hypervisor_placement.search.assignments[name]
      address   = address
      memory    = "16GiB"
      data      = { data = "200GiB" }
    }
  }
  image    = { volumes = { for host in keys(local.hosts) : host => "${host}/default/debian-12.qcow2" } }
  network  = { bridge = "br0", gateway = "10.0.0.1" }
  consul   = { files = {} }
  security = false # on a network that nobody else is on
}

output "voters" {
  value = module.search.voters
}

output "files" {
  value = module.search.files
}
