# How long clients may be without the pair, from the timers in use. The README has the formula in words.

locals {
  milliseconds = { ms = 1, s = 1000, m = 60000 }
  seconds = {
    for name, duration in merge(var.timers, { dns_ttl = var.dns_ttl }) :
    name => tonumber(regex("^[0-9]+", duration)) * local.milliseconds[regex("[a-z]+$", duration)] / 1000
  }

  # The agent looks twice a second, and then takes its steps at once: the lock, the end of replication, the record, writes, the
  # name. They are given as much time as a look.
  promotion = 2 * 0.5

  # A server that dies on a machine that lives is seen by its agent in the next look, which gives the lock up in another one.
  rto_estimate = {
    machine_lost = {
      reads  = { typical = var.detection.typical + local.seconds.dns_ttl, longest = var.detection.longest + local.seconds.dns_ttl }
      writes = var.auto_failover ? { typical = var.detection.typical + local.takeover, longest = var.detection.longest + local.takeover } : null
    }
    server_lost = {
      reads  = { typical = 0.5 + local.seconds.dns_ttl, longest = 2 * 0.5 + local.seconds.dns_ttl }
      writes = var.auto_failover ? { typical = 2 * 0.5 + local.takeover, longest = 3 * 0.5 + local.takeover } : null
    }
    replica_lost = { writes = { typical = local.seconds.lost_after, longest = local.seconds.lost_after + 2 * 0.5 } }
  }

  takeover = local.seconds.lock_delay + local.promotion + local.seconds.dns_ttl
}
