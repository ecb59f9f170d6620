# Who begins as a master, and whose replica each of the others is. From then on the cluster decides: a replica that took over stays master.

locals {
  masters = max(1, floor(length(var.machines) / (1 + var.replicas)))

  by_host = { for host in distinct(sort([for machine in values(var.machines) : machine.placement.host])) : host => sort([for name, machine in var.machines : name if machine.placement.host == host]) }

  # The first machine of every host, then the second of every host ...: the masters are as far apart as the hosts allow.
  turns           = flatten([for turn in range(max(0, [for names in values(local.by_host) : length(names)]...)) : [for names in values(local.by_host) : names[turn] if turn < length(names)]])
  first           = slice(local.turns, 0, min(length(local.turns), local.masters))
  masters_by_host = { for host, names in local.by_host : host => length(setintersection(names, local.first)) }

  # Both in the order of their hosts, and the replicas turned until none is beside its master.
  leaders   = flatten([for names in values(local.by_host) : [for name in names : name if contains(local.first, name)]])
  followers = flatten([for names in values(local.by_host) : [for name in names : name if !contains(local.first, name)]])
  rotations = [
    for turn in range(length(local.followers)) : turn
    if alltrue([for i in range(length(local.followers)) : var.machines[local.followers[(i + turn) % length(local.followers)]].placement.host != var.machines[local.leaders[i % local.masters]].placement.host])
  ]

  shards = {
    for i, leader in local.leaders : leader => {
      first    = floor(i * 16384 / local.masters)
      last     = floor((i + 1) * 16384 / local.masters) - 1
      replicas = [for n in range(var.replicas) : local.followers[(i + n * local.masters + try(local.rotations[0], 0)) % length(local.followers)]]
    }
  }

  addresses = { for name, machine in var.machines : name => split("/", machine.address)[0] }
  node      = { for name, address in local.addresses : name => "${address}:${var.port}" }
  layout    = [for leader, shard in local.shards : "shard ${shard.first} ${shard.last} ${join(" ", [for name in concat([leader], shard.replicas) : local.node[name]])}"]
}
