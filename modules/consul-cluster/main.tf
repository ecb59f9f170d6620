module "machines" {
  source = "../machines"

  machines        = var.machines
  image           = var.image
  network         = var.network
  user_data       = local.user_data
  secrets         = local.secrets
  secrets_version = var.secrets_version
  wait_for        = var.wait_for
  allow_change    = var.allow_change
  stopped         = var.stopped
  pool            = var.pool
  domain_type     = var.domain_type
  timeouts        = var.timeouts
  description     = "A server of Consul's datacenter ${var.datacenter}."

  shutdown_timeout = "90s" # it may wait for another one to come back first
}

locals {
  addresses = { for name, machine in var.machines : name => split("/", machine.address)[0] }

  user_data = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      write_files = concat(
        [
          { path = "/etc/consul.d/consul.json", owner = "root:consul", permissions = "0640", content = jsonencode(local.server[name]) },
          { path = local.dial_path, permissions = "0644", content = local.dial },
        ],
        local.acl_files,
      )
      runcmd = [
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", "--now", "consul.service"],
        ["systemctl", "enable", "--now", "--no-block", "consul-acl.service"],
      ]
    })}"
  }

  # Every server has the same.
  secrets = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      write_files = concat(
        [for path, content in local.server_secrets : { path = path, owner = "root:consul", permissions = "0640", content = content }],
        [{ path = "/etc/consul-acl/tokens.json", owner = "root:root", permissions = "0600", content = jsonencode(local.acl_tokens) }],
        [{ path = "/etc/consul-acl/management.header", owner = "root:root", permissions = "0600", content = "X-Consul-Token: ${var.secrets.tokens["management"]}\n" }],
      )
    })}"
  }
}
