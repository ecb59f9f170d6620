# What stands on each machine.

locals {
  mebibytes    = { MiB = 1, GiB = 1024, TiB = 1048576 }
  memory       = { for name, machine in var.machines : name => tonumber(regex("^[0-9.]+", machine.memory)) * local.mebibytes[regex("[A-Za-z]+$", machine.memory)] }
  node_timeout = tonumber(regex("^[0-9]+", var.node_timeout)) * (endswith(var.node_timeout, "ms") ? 1 : 1000)

  files = {
    for name in keys(var.machines) : name => merge(var.consul.files, {
      "/etc/redis/redis.conf" = templatefile("${path.module}/templates/redis.conf.tftpl", {
        address      = local.addresses[name]
        port         = var.port
        node_timeout = local.node_timeout
        memory       = floor(local.memory[name] * var.memory_percent / 100)
        eviction     = var.eviction
      })
      "/etc/redis/cluster"                             = join("\n", concat(["self ${local.node[name]}"], local.layout, [""]))
      "/etc/systemd/system/redis-cluster-join.service" = file("${path.module}/files/redis-cluster-join.service")
      "/usr/local/sbin/redis-cluster-join"             = file("${path.module}/files/redis-cluster-join.sh")
      "/etc/sysctl.d/60-redis.conf"                    = "vm.overcommit_memory = 1\nnet.core.somaxconn = 1024\n" # as Redis' manual asks for
      "/etc/consul.d/${var.service}.json" = jsonencode({
        service = {
          id      = name
          name    = var.service
          address = local.addresses[name]
          port    = var.port
          check   = { id = "${name}-tcp", name = "Redis answers", tcp = local.node[name], interval = "2s", timeout = "1s" }
        }
      })
    })
  }

  commands = [
    ["sysctl", "--system"],
    ["chown", "redis:redis", "/var/lib/redis"],
    ["systemctl", "daemon-reload"],
    ["systemctl", "enable", "redis-server", "redis-cluster-join"],
    ["systemctl", "restart", "redis-server"], # a package that has just been installed runs already
    ["systemctl", "start", "--no-block", "redis-cluster-join"],
    ["systemctl", "enable", "--now", "consul"],
  ]
}
