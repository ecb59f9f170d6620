# Who begins as a master, and whose replica each of the others is. From then on the cluster decides: a replica that took over stays master.

locals {
  masters = max(1, floor(length(var.machines) / (1 + var.replicas)))

  by_host = { for host in distinct(sort([for machine in values(var.machines) : machine.placement.host])) : host => sort([for name, machine in var.machines : name if machine.placement.host == host]) }

  # The first machine of every host, then the second of every host ...: the masters are as far apart as the hosts allow.
  turns           = flatten([for turn in range(max(0, [for names in values(local.by_host) : length(names)]...)) : [for names in values(local.by_host) : names[turn] if turn < length(names)]])
  first           = slice(local.turns, 0, min(length(local.turns), local.masters))
  masters_by_host = { for host, names in local.by_host : host => length(setintersection(names, local.first)) }

  # Masters and replicas in the order of the turns, and both in that of their hosts, which suits hosts with unlike numbers of machines:
  # the replicas are turned against the masters until none is beside its own.
  sorted = flatten(values(local.by_host))
  orders = [for names in [local.turns, local.sorted] : {
    leaders   = [for name in names : name if contains(local.first, name)]
    followers = [for name in names : name if !contains(local.first, name)]
  }]
  rotations = flatten([
    for order in local.orders : [
      for turn in range(length(order.followers)) : {
        leaders   = order.leaders
        followers = concat(slice(order.followers, turn, length(order.followers)), slice(order.followers, 0, turn))
      }
    ]
  ])
  fitting = [
    for rotation in local.rotations : rotation
    if alltrue([for i, follower in rotation.followers : var.machines[follower].placement.host != var.machines[rotation.leaders[i % local.masters]].placement.host])
  ]
  chosen = concat(local.fitting, local.orders)[0]

  shards = {
    for i, leader in local.chosen.leaders : leader => {
      first    = floor(i * 16384 / local.masters)
      last     = floor((i + 1) * 16384 / local.masters) - 1
      replicas = [for n, follower in local.chosen.followers : follower if n % local.masters == i]
    }
  }

  addresses = { for name, machine in var.machines : name => split("/", machine.address)[0] }
  node      = { for name, address in local.addresses : name => "${address}:${var.port}" }
  layout    = [for leader, shard in local.shards : "shard ${shard.first} ${shard.last} ${join(" ", [for name in concat([leader], shard.replicas) : local.node[name]])}"]
}
