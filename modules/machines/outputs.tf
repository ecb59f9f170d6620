output "machines" {
  description = "By machine: its `host`, its `address` without the prefix length, and its `id`."
  value = {
    for name, machine in hypervisor_vm.machine : name => {
      host    = var.machines[name].placement.host
      address = local.addresses[name]
      id      = machine.id
    }
  }
}
