# Machines as a team would declare them, each with a CPU of its own, but powered off.

terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "uris" { type = map(string) } # of the hosts
variable "domain_type" { type = string }
variable "machines" { type = map(object({ host = string, cpu = number })) }
variable "emulator" { type = string }

provider "hypervisor" {
  hosts = { for name, uri in var.uris : name => { uri = uri } }
}

resource "hypervisor_vm" "machine" {
  for_each    = var.machines
  name        = each.key
  host        = each.value.host
  domain_type = var.domain_type
  memory      = "128MiB"
  cpu         = { pins = [each.value.cpu], emulator = var.emulator }

  disks      = { root = { volume = "${each.value.host}/default/${each.key}.qcow2" } }
  interfaces = { lan = { bridge = "br0" } }

  running   = false
  autostart = false
}
