# host/name, or host/uuid
terraform import hypervisor_vm.web alpha/web-1
