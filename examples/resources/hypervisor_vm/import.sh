# host/name
terraform import hypervisor_vm.web alpha/web-1
