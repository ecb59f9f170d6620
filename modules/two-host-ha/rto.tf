# How long each tier is away when a host dies at once, from the timers that are in use. The README has the formulas.

locals {
  # Until the members agree that a machine is lost.
  detection = module.consul.detection
  ttl       = tonumber(trimsuffix(trimsuffix(var.dns_ttl, "s"), "m")) * (endswith(var.dns_ttl, "m") ? 60 : 1)

  gateway_timers = module.gateway.timers

  # Rounded up to tenths of a second.
  rto_estimate = {
    for tier, seconds in local.seconds : tier => { for which, value in seconds : which => ceil(10 * value) / 10 }
  }

  seconds = {
    gateway = {
      typical = local.gateway_timers.takeover
      longest = local.gateway_timers.takeover + 1 # a lost announcement of the address is repeated after a second
    }
    web = {
      typical = local.gateway_timers.takeover + local.gateway_timers.dial
      longest = local.gateway_timers.takeover + 1 + (local.tries - 1) * local.gateway_timers.dial
    }
    reads = {
      typical = local.detection.typical + local.ttl
      longest = local.detection.longest + local.ttl
    }
  }
}
