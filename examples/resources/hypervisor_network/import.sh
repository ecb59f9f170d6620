# host/name
terraform import hypervisor_network.lan alpha/lan
terraform import hypervisor_network.office alpha/office
