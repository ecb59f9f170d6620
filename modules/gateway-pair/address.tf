# The virtual address: keepalived gives it to the first machine whose gateway answers.

locals {
  check_script = "/usr/local/sbin/gateway-check"
  leave_script = "/usr/local/sbin/gateway-leave"
  leaving      = "/run/gateway-leaving" # stands while the gateway ends what it has: its health says nothing more
  leave_table  = "inet gateway_leave"   # of nft, which lets nobody new in meanwhile
  names        = sort(keys(var.machines))
  # Far enough apart that none is another's, and below 255, which means that an address is the machine's own.
  priorities = { for position, name in local.names : name => 250 - 10 * position }

  # RFC 5798, section 6.1: a backup that has heard nothing for three intervals and its own skew takes over.
  skews    = { for name, priority in local.priorities : name => (256 - priority) / 256 * local.seconds.advert }
  takeover = 3 * local.seconds.advert + max(values(local.skews)...)

  address_files = {
    for name in local.names : name => {
      "/etc/keepalived/keepalived.conf" = templatefile("${path.module}/templates/keepalived.conf.tftpl", {
        name      = name
        id        = var.vrrp.router_id
        priority  = local.priorities[name]
        advert    = format("%.2f", local.seconds.advert)
        preempt   = var.vrrp.preempt
        own       = local.addresses[name]
        peers     = [for other in local.names : local.addresses[other] if other != name]
        address   = local.address
        script    = local.check_script
        interval  = local.seconds.check
        failures  = var.vrrp.failures
        interface = "lan"
      })
      "/etc/systemd/system/keepalived.service.d/gateway.conf" = <<-EOT
        # Units stop in the opposite order of their start: the address goes to another machine before the gateway's own stop.
        [Unit]
        After=${local.engine.unit}
        Wants=${local.engine.unit}
        [Service]
        Restart=always
        ExecStop=-+${local.leave_script}
        ExecStopPost=-+/bin/rm -f ${local.leaving}
        ExecStopPost=-+/usr/sbin/nft delete table ${local.leave_table}
      EOT
      (local.leave_script) = templatefile("${path.module}/templates/leave.sh.tftpl", {
        address  = local.address
        ports    = var.https.enabled ? [80, 443] : [80]
        unit     = local.engine.unit
        signal   = local.engine.leave
        handover = local.seconds.handover
        leaving  = local.leaving
        table    = local.leave_table
      })
      (local.check_script) = templatefile("${path.module}/templates/check.sh.tftpl", {
        port    = local.ping_port
        path    = local.engine.ping
        leaving = local.leaving
      })
      "/etc/sysctl.d/90-gateway.conf" = <<-EOT
        # A gateway may listen at the address before it has it.
        net.ipv4.ip_nonlocal_bind = 1
        # Connections to the machines behind: one port for each that is open or was a minute ago.
        net.ipv4.ip_local_port_range = 10240 65535
        net.ipv4.tcp_tw_reuse = 1
        net.core.somaxconn = 16384
      EOT
      "/etc/consul.d/${var.service}.json" = jsonencode({
        service = {
          id      = name
          name    = var.service
          address = local.addresses[name]
          port    = var.https.enabled ? 443 : 80
          check = {
            id       = "${name}-ping"
            name     = "the gateway answers"
            http     = "http://127.0.0.1:${local.ping_port}${local.engine.ping}"
            interval = "2s"
            timeout  = "1s"
          }
        }
      })
    }
  }

  ping_port = 8100
}
