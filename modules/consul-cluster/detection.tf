# How soon the loss of a machine is known, by memberlist's rules (https://github.com/hashicorp/memberlist, suspicion.go): a member
# is probed by somebody within an interval, the probe fails at the end of the next one, and the suspicion lasts
# suspicion_mult * max(1, log10(members)) intervals when others confirm it, and six times that when nobody does.

locals {
  milliseconds = {
    for name, duration in { probe_interval = var.detection.probe_interval, probe_timeout = var.detection.probe_timeout } :
    name => endswith(duration, "ms") ? tonumber(trimsuffix(duration, "ms")) : 1000 * tonumber(trimsuffix(duration, "s"))
  }

  interval  = local.milliseconds.probe_interval / 1000
  suspicion = var.detection.suspicion_mult * max(1, log(var.detection.members, 10)) * local.interval

  detection = {
    typical = 2 * local.interval + local.suspicion
    longest = 2 * local.interval + 6 * local.suspicion
  }
}
