output "machines" {
  description = "Where each machine runs."
  value = { for name, machine in hypervisor_vm.web : name => {
    host     = machine.host
    pins     = machine.cpu.pins
    emulator = machine.cpu.emulator
    address  = machine.addresses["lan"][0]
  } }
}
