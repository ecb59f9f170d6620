output "core_map" {
  description = "Every core with its machine, as text."
  value       = hypervisor_placement.platform.core_map
}

output "machines" {
  description = "The host of each machine, by its name."
  value       = { for name, machine in hypervisor_vm.web : name => machine.host }
}
