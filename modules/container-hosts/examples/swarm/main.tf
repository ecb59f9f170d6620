# Four machines for containers over three hosts, of which three manage a swarm. Hosts are written down, so that it is planned before there are any.

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
  hosts    = { for name in ["alpha", "beta", "gamma"] : name => { nodes = [{ memory = "128GiB", cores = [for core in range(16) : "${core},${core + 16}"] }] } }
  machines = { for n in range(1, 5) : "docker-${n}" => { group = n <= 3 ? "manager" : "worker", address = "10.0.0.9${n}/24" } }
}

resource "hypervisor_placement" "docker" {
  hosts    = local.hosts
  machines = { for name, machine in local.machines : name => { vcpus = 4, memory = "16GiB", group = machine.group } }
  groups = {
    manager = { spread = "hosts" }
    worker  = { spread = "evenly" }
  }
}

module "docker" {
  source = "../.."

  machines = {
    for name, machine in local.machines : name => {
      placement = hypervisor_placement.docker.assignments[name]
      address   = machine.address
      memory    = "16GiB"
      data      = { docker = "100GiB" }
    }
  }
  managers = [for name, machine in local.machines : name if machine.group == "manager"]
  image    = { volumes = { for host in keys(local.hosts) : host => "${host}/default/debian-12.qcow2" } }
  network  = { bridge = "br0", gateway = "10.0.0.1" }
}

output "managers" {
  value = module.docker.managers
}
