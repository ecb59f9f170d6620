# A sentinel on each server's machine and one on the witness: two of the three decide.

locals {
  sentinel_files = {
    for name in keys(var.machines) : name => {
      "/etc/redis/sentinel.conf" = templatefile("${path.module}/templates/sentinel.conf.tftpl", {
        name     = var.name
        address  = local.addresses[name]
        primary  = local.addresses[local.servers[0]]
        quorum   = local.majority
        down     = local.milliseconds.down
        failover = local.milliseconds.failover
      })
      "/etc/systemd/system/redis-sentinel.service.d/pair.conf" = "[Service]\nRestart=always\n"
    }
  }
}
