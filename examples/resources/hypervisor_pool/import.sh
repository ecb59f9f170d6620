# host/name
terraform import hypervisor_pool.machines alpha/machines
