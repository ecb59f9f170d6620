# How long each tier is away when a host dies at once, from the timers that are in use. The README has the formulas.

locals {
  tries   = 6 # each meets a machine of the lost host as often as not: one request in 64 has no luck
  gateway = module.gateway.timers
  mysql   = module.mysql.rto_estimate.machine_lost

  away = {
    gateway = {
      typical = local.gateway.takeover
      longest = local.gateway.takeover + 1 # a lost announcement of the address is repeated after a second
    }
    web = {
      typical = local.gateway.takeover + local.gateway.dial
      longest = local.gateway.takeover + 1 + (local.tries - 1) * local.gateway.dial
    }
    reads  = local.mysql.reads
    writes = local.mysql.writes
  }

  # Rounded up to tenths of a second.
  rto_estimate = {
    for tier, seconds in local.away : tier => seconds == null ? null : { for which in ["typical", "longest"] : which => ceil(10 * seconds[which]) / 10 }
  }
}
