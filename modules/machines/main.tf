resource "hypervisor_vm" "machine" {
  for_each = var.machines

  name         = each.key
  description  = local.containers ? null : var.description
  memory       = each.value.memory
  domain_type  = var.domain_type
  allow_change = var.allow_change
  running      = !contains(var.stopped, each.key)
  autostart    = !contains(var.stopped, each.key) # also when its host is started meanwhile

  placement = local.containers ? null : each.value.placement
  host      = local.containers ? each.value.placement.host : null
  cpu       = local.containers ? { count = length(each.value.placement.pins), maximum = null } : each.value.vcpus_maximum == null ? null : { count = null, maximum = each.value.vcpus_maximum }
  container = local.containers ? { archive = var.image.volumes[each.value.placement.host] } : null

  disks = local.containers ? null : merge(
    { root = { volume = hypervisor_volume.root[each.key].id } },
    { for name in keys(each.value.data) : name => { volume = hypervisor_volume.data["${each.key}/${name}"].id } },
  )

  interfaces = { lan = { bridge = var.network.bridge } }

  cloud_init = {
    user_data            = lookup(var.user_data, each.key, null)
    user_data_wo         = lookup(var.secrets, each.key, null)
    user_data_wo_version = var.secrets_version

    network = {
      lan = {
        addresses   = [each.value.address]
        gateway     = var.network.gateway
        nameservers = length(var.network.nameservers) > 0 ? var.network.nameservers : null
      }
    }
  }

  shutdown_timeout = var.shutdown_timeout

  wait_for = var.wait_for == null ? null : { tcp = "${local.addresses[each.key]}:${var.wait_for.port}" }
  drain    = var.drain
  timeouts = var.timeouts
}

locals {
  containers = var.image.kind == "archive"
  addresses  = { for name, machine in var.machines : name => split("/", machine.address)[0] }
}
