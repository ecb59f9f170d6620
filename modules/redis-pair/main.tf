module "machines" {
  source = "../machines"

  machines        = var.machines
  image           = var.image
  network         = var.network
  pool            = var.pool
  description     = "Redis pair ${var.name}."
  user_data       = local.user_data
  secrets         = local.secrets
  secrets_version = var.secrets_version
  wait_for        = var.wait_for
  drain           = var.drain
  allow_change    = var.allow_change
  stopped         = var.stopped
  domain_type     = var.domain_type
  timeouts        = var.timeouts
}

locals {
  addresses = { for name, machine in var.machines : name => split("/", machine.address)[0] }
  servers   = sort([for name in keys(var.machines) : name if name != var.witness]) # the first begins as the primary
  sentinels = sort(concat(values(local.addresses), var.witness_address == null ? [] : [var.witness_address]))
  majority  = floor(length(local.sentinels) / 2) + 1

  # "1m30s" in milliseconds.
  durations = { h = 3600000, m = 60000, s = 1000, ms = 1 }
  milliseconds = {
    for name, duration in { down = var.down_after, failover = var.failover_timeout, lag = var.max_lag, check = var.check_interval } :
    name => sum([for part in regexall("([0-9.]+)(ms|h|m|s)", duration) : tonumber(part[0]) * local.durations[part[1]]])
  }

  # What stands on each machine; a later file takes the place of an earlier one at the same path.
  files = {
    for name in keys(var.machines) : name => merge(
      var.consul.files, local.sentinel_files[name], contains(local.servers, name) ? local.server_files[name] : {}, var.files,
    )
  }

  user_data = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      write_files = [
        for path, content in local.files[name] : { path = path, content = content, permissions = startswith(path, "/usr/local/sbin/") ? "0755" : "0644" }
      ]
      runcmd = concat(
        var.commands,
        # Sentinel writes into its own file whom it follows.
        [["chown", "redis:redis", "/etc/redis/sentinel.conf"], ["chmod", "0640", "/etc/redis/sentinel.conf"], ["systemctl", "daemon-reload"]],
        contains(local.servers, name) ? [["systemctl", "enable", "redis-server"], ["systemctl", "restart", "redis-server"]] : [],
        [["systemctl", "enable", "redis-sentinel"], ["systemctl", "restart", "redis-sentinel"]],
        contains(local.servers, name) && var.auto_failover ? [["systemctl", "enable", "--now", "redis-guard"]] : [],
        [["systemctl", "enable", "--now", "consul"]],
      )
    })}"
  }

  secrets = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      write_files = concat(
        [for path, content in var.consul_secrets : { path = path, content = content, permissions = "0640", owner = "root:consul" }],
        [
          { path = "/etc/redis/password.conf", content = "requirepass \"${var.password}\"\nmasterauth \"${var.password}\"\n", permissions = "0640", owner = "root:redis" },
          { path = "/etc/redis/sentinel-password.conf", content = "sentinel auth-pass ${var.name} ${var.password}\n", permissions = "0640", owner = "root:redis" },
          { path = "/etc/consul.d/redis-password", content = var.password, permissions = "0640", owner = "root:consul" },
        ],
      )
    })}"
  }
}
