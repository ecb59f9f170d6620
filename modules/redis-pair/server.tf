# The two servers: one takes writes, the other has a copy and answers reads.

locals {
  mebibyte = { MiB = 1, GiB = 1024, TiB = 1048576 }
  # Redis copies what is written to while it saves, and each replica and client has a buffer.
  memory = {
    for name, machine in var.machines :
    name => floor(tonumber(regex("^[0-9.]+", machine.memory)) * local.mebibyte[regex("[A-Za-z]+$", machine.memory)] * var.memory_percent / 100)
  }

  lag = ceil(local.milliseconds.lag / 1000)

  server_scripts = {
    for name in local.servers : name => {
      for script in ["role", "guard", "yield"] : "/usr/local/sbin/redis-${script}" => templatefile("${path.module}/templates/${script}.sh.tftpl", {
        name = var.name, own = local.addresses[name], sentinels = local.sentinels, majority = local.majority, lag = local.lag
      })
    }
  }

  server_files = {
    for name in local.servers : name => merge(local.server_scripts[name], {
      "/etc/redis/redis.conf" = templatefile("${path.module}/templates/redis.conf.tftpl", {
        address = local.addresses[name]
        primary = name == local.servers[0] ? null : local.addresses[local.servers[0]]
        memory  = local.memory[name]
        policy  = var.eviction
        least   = var.auto_failover ? 1 : 0
        lag     = local.lag
      })
      "/etc/systemd/system/redis-guard.service"              = file("${path.module}/templates/redis-guard.service")
      "/etc/systemd/system/redis-server.service.d/pair.conf" = "[Service]\nRestart=always\n"
      "/etc/consul.d/${var.name}.json" = jsonencode({
        enable_local_script_checks = true # those of files like this one, not those of the API
        services = [
          for role in ["writer", "reader"] : {
            id      = "${var.name}-${role}"
            name    = "${var.name}-${role}"
            address = local.addresses[name]
            port    = 6379
            check = {
              id       = "${name}-${role}"
              name     = "is a ${role}"
              args     = ["/usr/local/sbin/redis-role", role]
              interval = var.check_interval
              timeout  = "1s"
            }
          }
        ]
      })
    })
  }
}
