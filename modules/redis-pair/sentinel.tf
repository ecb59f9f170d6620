# A sentinel on each server's machine and one on the witness: two of the three decide. The witness votes and never begins: when one
# of three is lost, two that begin at once would each vote for itself, and try again only after twice the time-out.

locals {
  # They know each other before they have met through the primary, which may be lost first.
  ids = { for address in local.sentinels : address => sha1(address) }

  sentinel_files = {
    for name in keys(var.machines) : name => {
      "/etc/redis/sentinel.conf" = templatefile("${path.module}/templates/sentinel.conf.tftpl", {
        name     = var.name
        address  = local.addresses[name]
        primary  = local.addresses[local.servers[0]]
        replica  = local.addresses[local.servers[1]]
        ids      = local.ids
        quorum   = name == var.witness ? length(local.sentinels) + 1 : local.majority
        down     = local.milliseconds.down
        failover = local.milliseconds.failover
      })
      "/etc/systemd/system/redis-sentinel.service.d/pair.conf" = "[Service]\nRestart=always\n"
    }
  }
}
