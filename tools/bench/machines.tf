# Machines as a team would declare them, each with a CPU of its own, but powered off.

terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "uri" { type = string }
variable "domain_type" { type = string }
variable "machines" { type = map(number) } # the CPU of each
variable "emulator" { type = string }

provider "hypervisor" {
  hosts = { alpha = { uri = var.uri } }
}

resource "hypervisor_vm" "machine" {
  for_each    = var.machines
  name        = each.key
  host        = "alpha"
  domain_type = var.domain_type
  memory      = "128MiB"
  cpu         = { pins = [each.value], emulator = var.emulator }

  disks      = { root = { volume = "alpha/default/${each.key}.qcow2" } }
  interfaces = { lan = { bridge = "br0" } }

  running   = false
  autostart = false
}
