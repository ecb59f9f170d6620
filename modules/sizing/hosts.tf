# Hosts are counted by their sums of CPUs and memory. Whether each machine finds a place of its own is what
# hypervisor_placement answers, on the hosts that there are.
locals {
  total_vcpus      = sum([for tier in local.tiers : tier.machines * tier.vcpus])
  total_memory_gib = sum([for tier in local.tiers : tier.machines * tier.memory_gib])

  host_cpus       = var.host.cpus - var.host.reserved_cpus
  host_memory_gib = local.memory_gib.host - local.memory_gib.reserved

  # Pairs stand on different hosts, and Consul's three servers need a host or a witness each.
  hosts_carrying = max(ceil(local.total_vcpus / local.host_cpus), ceil(local.total_memory_gib / local.host_memory_gib))
  hosts          = max(2, local.hosts_carrying + var.host.spare)

  after_loss = min(
    (local.hosts - 1) * local.host_cpus / local.total_vcpus,
    (local.hosts - 1) * local.host_memory_gib / local.total_memory_gib,
  )
}
