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

variable "running" {
  type    = bool
  default = false
}

variable "exclusive" {
  type    = bool
  default = false
}

variable "memory" {
  type    = string
  default = "128MiB"
}

provider "hypervisor" {
  hosts = { for name, uri in var.uris : name => { uri = uri } }
}

resource "hypervisor_vm" "machine" {
  for_each    = var.machines
  name        = each.key
  host        = each.value.host
  domain_type = var.domain_type
  memory      = var.memory
  cpu         = { pins = [each.value.cpu], emulator = var.emulator, exclusive = var.exclusive }

  disks      = { root = { volume = "${each.value.host}/default/${each.key}.qcow2" } }
  interfaces = { lan = { bridge = "br0" } }

  shutdown_timeout = "0s"

  running   = var.running
  autostart = false
}
