# host/machine/name, with the machine's name or its UUID
terraform import hypervisor_snapshot.before_upgrade alpha/shop-1/before-upgrade
