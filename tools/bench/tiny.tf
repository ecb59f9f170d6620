# The same machines for a provider whose schema has two attributes.

terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "machines" { type = map(object({ host = string, cpu = number })) }

resource "hypervisor_vm" "machine" {
  for_each = var.machines
  name     = each.key
  host     = each.value.host
}
