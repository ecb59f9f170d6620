module "machines" {
  source = "../machines"

  machines        = var.machines
  image           = var.image
  network         = var.network
  pool            = var.pool
  description     = "Web tier, service ${var.service}."
  user_data       = local.user_data
  secrets         = local.secrets
  secrets_version = var.secrets_version
  wait_for        = var.wait_for
  drain           = var.drain
  allow_change    = var.allow_change
  stopped         = var.stopped
  domain_type     = var.domain_type
  timeouts        = var.timeouts

  shutdown_timeout = "${local.leave + 30}s" # what it does before it stops, and what any machine may take
}

locals {
  addresses = { for name, machine in var.machines : name => split("/", machine.address)[0] }

  # "1m30s" in seconds.
  milliseconds = { h = 3600000, m = 60000, s = 1000, ms = 1 }
  seconds = {
    for name, duration in { interval = var.check.interval, timeout = var.check.timeout, drain = var.drain_time, request = var.apache.timeout } :
    name => sum([for part in regexall("([0-9.]+)(ms|h|m|s)", duration) : tonumber(part[0]) * local.milliseconds[part[1]]]) / 1000
  }

  # What stands on each machine; a later file takes the place of an earlier one at the same path.
  files = {
    for name in keys(var.machines) : name => merge(var.consul.files, local.apache[name], local.service[name], var.files)
  }

  user_data = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      packages = var.packages
      write_files = [
        for path, content in local.files[name] : { path = path, content = content, permissions = startswith(path, "/usr/local/sbin/") ? "0755" : "0644" }
      ]
      runcmd = concat(var.commands, local.apache_commands, local.service_commands)
    })}"
  }

  secrets = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      write_files = concat(
        [for path, content in var.consul_secrets : { path = path, content = content, permissions = "0640", owner = "root:consul" }],
        [{ path = local.token_file, content = "CONSUL_HTTP_TOKEN=${var.consul_token}\n", permissions = "0600", owner = "root:root" }],
      )
    })}"
  }
}
