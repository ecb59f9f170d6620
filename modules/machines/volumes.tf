# The system: an overlay on the image of the machine's host. It can be made again, so it goes with the machine.
resource "hypervisor_volume" "root" {
  for_each = { for name, machine in var.machines : name => machine if !local.containers }

  host    = each.value.placement.host
  pool    = var.pool
  name    = "${each.key}.qcow2"
  backing = var.image.volumes[each.value.placement.host]
  size    = each.value.root
}

# What must outlive the system. A plan that would delete or replace one that was written to is refused.
resource "hypervisor_volume" "data" {
  for_each = { for volume in local.data : "${volume.machine}/${volume.name}" => volume if !local.containers }

  host      = each.value.host
  pool      = var.pool
  name      = "${each.value.machine}-${each.value.name}.qcow2"
  size      = each.value.size
  protected = var.protect_data
}

locals {
  data = flatten([
    for machine, settings in var.machines : [
      for name, size in settings.data : { machine = machine, host = settings.placement.host, name = name, size = size }
    ]
  ])
}
