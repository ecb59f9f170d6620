# The machine is in Consul while it is well, from its own agent, and out of it before it goes.

locals {
  unit       = "consul-leave-${var.service}.service"
  token_file = "/etc/consul-leave-${var.service}.env"
  script     = "/usr/local/sbin/consul-leave-${var.service}"
  leave      = ceil(local.seconds.drain) + 80 # seconds, at most: until another one answers, until Consul knows, and until it is forgotten

  service = {
    for name in keys(var.machines) : name => {
      "/etc/consul.d/${var.service}.json" = jsonencode({
        service = {
          id      = name
          name    = var.service
          address = local.addresses[name]
          port    = var.port
          tags    = var.tags
          check = {
            id       = "${name}-http"
            name     = "HTTP at ${var.health_path}"
            http     = "http://${local.addresses[name]}:${var.port}${var.health_path}"
            interval = var.check.interval
            timeout  = var.check.timeout
          }
        }
      })
      "/etc/systemd/system/${local.unit}" = templatefile("${path.module}/templates/leave.service.tftpl", {
        name    = name
        service = var.service
        server  = var.server == "apache" ? "apache2.service" : ""
        token   = local.token_file
        script  = local.script
        leave   = local.leave
      })
      (local.script) = templatefile("${path.module}/templates/leave.sh.tftpl", {
        name    = name
        service = var.service
        others  = length(var.machines) > 1
        drain   = ceil(local.seconds.drain)
      })
    }
  }

  service_commands = [
    ["systemctl", "daemon-reload"],
    ["systemctl", "enable", "--now", "consul"],
    ["systemctl", "enable", "--now", local.unit],
  ]
}
