module "machines" {
  source = "../machines"

  machines        = var.machines
  image           = var.image
  network         = var.network
  pool            = var.pool
  description     = "Gateway at ${local.address}."
  user_data       = local.user_data
  secrets         = local.secrets
  secrets_version = var.secrets_version
  wait_for        = var.wait_for
  drain           = var.drain
  allow_change    = var.allow_change
  stopped         = var.stopped
  domain_type     = var.domain_type
  timeouts        = var.timeouts

  shutdown_timeout = "${ceil(local.seconds.handover + local.seconds.grace) + 30}s" # what it does before it stops, and what any machine may take
}

locals {
  address   = split("/", var.address)[0]
  addresses = { for name, machine in var.machines : name => split("/", machine.address)[0] }

  # "1m30s" in seconds.
  milliseconds = { h = 3600000, m = 60000, s = 1000, ms = 1 }
  seconds = {
    for name, duration in {
      advert   = var.vrrp.advert_interval, check = var.check_interval, dial = var.dial_timeout, idle = var.idle_timeout, grace = var.grace_time,
      handover = var.handover_time
    } : name => sum([for part in regexall("([0-9.]+)(ms|h|m|s)", duration) : tonumber(part[0]) * local.milliseconds[part[1]]]) / 1000
  }

  # What stands on each machine; a later file takes the place of an earlier one at the same path.
  engine = { traefik = local.traefik, kong = local.kong }[var.engine]
  files = {
    for name in keys(var.machines) : name => merge(var.consul.files, local.engine.files[name], local.address_files[name], var.files)
  }

  user_data = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      write_files = [
        for path, content in local.files[name] : { path = path, content = content, permissions = startswith(path, "/usr/local/sbin/") ? "0755" : "0644" }
      ]
      runcmd = concat(
        var.commands,
        [["sysctl", "--system"], ["systemctl", "daemon-reload"], ["systemctl", "enable", "--now", "consul"]],
        local.engine.commands,
        [["systemctl", "enable", "--now", "keepalived"]],
      )
    })}"
  }

  secret_files = merge(
    { for path, content in var.consul_secrets : path => { content = content, owner = "root:consul" } },
    { for name in var.https.certificates : "${local.certificates}/${name}.crt" => { content = var.certificates[name].certificate, owner = "root:root" } },
    { for name in var.https.certificates : "${local.certificates}/${name}.key" => { content = var.certificates[name].key, owner = "root:root" } },
    var.engine == "traefik" ? { (local.traefik_environment) = { content = "CONSUL_HTTP_TOKEN=${var.consul_token}\n", owner = "root:root" } } : {},
    local.kong_secrets,
  )

  secrets = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      write_files = [for path, file in local.secret_files : { path = path, content = file.content, permissions = "0640", owner = file.owner }]
    })}"
  }

  certificates = "/etc/gateway/certificates"
}
