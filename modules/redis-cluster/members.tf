# Who begins as a master, and whose replica each of the others is. From then on the cluster decides: a replica that took over stays master.

locals {
  masters = max(1, floor(length(var.machines) / (1 + var.replicas)))

  domain    = { for name, machine in var.machines : name => lookup(var.failure_domains, machine.placement.host, machine.placement.host) }
  by_domain = { for domain in distinct(sort(values(local.domain))) : domain => sort([for name in keys(var.machines) : name if local.domain[name] == domain]) }

  # The first machine of every failure domain, then the second of every one ...: the masters are as far apart as they can be.
  turns             = flatten([for turn in range(max(0, [for names in values(local.by_domain) : length(names)]...)) : [for names in values(local.by_domain) : names[turn] if turn < length(names)]])
  first             = slice(local.turns, 0, min(length(local.turns), local.masters))
  masters_by_domain = { for domain, names in local.by_domain : domain => length(setintersection(names, local.first)) }

  # Masters and replicas in the order of the turns, and both in that of their domains, which suits domains with unlike numbers of machines:
  # the replicas are turned against the masters until none is beside its own.
  sorted = flatten(values(local.by_domain))
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
    if alltrue([for i, follower in rotation.followers : local.domain[follower] != local.domain[rotation.leaders[i % local.masters]]])
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
