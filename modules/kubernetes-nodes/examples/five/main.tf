# Three machines of the control plane and two workers over three hosts. Hosts are written down, so that it is planned before there are any.

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

  sizes = {
    control = { vcpus = 2, memory = "4GiB" }
    worker  = { vcpus = 8, memory = "32GiB" }
  }
  nodes = {
    control-1 = { group = "control", address = "10.0.0.91/24" }
    control-2 = { group = "control", address = "10.0.0.92/24" }
    control-3 = { group = "control", address = "10.0.0.93/24" }
    worker-1  = { group = "worker", address = "10.0.0.94/24" }
    worker-2  = { group = "worker", address = "10.0.0.95/24" }
  }
}

resource "hypervisor_placement" "kubernetes" {
  hosts    = local.hosts
  machines = { for name, node in local.nodes : name => merge(local.sizes[node.group], { group = node.group }) }
  groups = {
    control = { spread = "hosts" }
    worker  = { spread = "evenly" }
  }
}

module "kubernetes" {
  source = "../.."

  machines = {
    for name, node in local.nodes : name => {
      placement = hypervisor_placement.kubernetes.assignments[name]
      address   = node.address
      memory    = local.sizes[node.group].memory
      data      = { containerd = "50GiB" }
    }
  }
  control_plane = [for name, node in local.nodes : name if node.group == "control"]
  endpoint      = "10.0.0.100:6443"
  image         = { volumes = { for host in keys(local.hosts) : host => "${host}/default/debian-12.qcow2" } }
  network       = { bridge = "br0", gateway = "10.0.0.1" }
}

output "control_plane" {
  value = module.kubernetes.control_plane
}
