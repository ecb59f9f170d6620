# What stands on each machine.

locals {
  addresses = { for name, machine in var.machines : name => split("/", machine.address)[0] }

  daemon = {
    for name, machine in var.machines : name => merge(var.docker.settings, {
      # A scheduler keeps the copies of a service apart by it: --placement-pref spread=engine.labels.host.
      labels                = ["host=${machine.placement.host}"]
      default-address-pools = [for base, size in var.docker.address_pools : { base = base, size = size }]
      live-restore          = length(var.managers) == 0 # a swarm moves containers instead
      log-driver            = "local"
      log-opts              = { max-size = var.docker.log_size, max-file = tostring(var.docker.log_files) }
    })
  }

  files = {
    for name in keys(var.machines) : name => merge(var.consul.files, {
      "/etc/docker/daemon.json"         = jsonencode(local.daemon[name])
      "/etc/modules-load.d/docker.conf" = "overlay\nbr_netfilter\nip_vs\n"
      "/etc/sysctl.d/60-docker.conf"    = "net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 1\n"
    })
  }

  commands = concat(
    [
      ["modprobe", "--all", "overlay", "br_netfilter", "ip_vs"],
      ["sysctl", "--system"],
      ["systemctl", "enable", "docker"],
      ["systemctl", "restart", "docker"],
    ],
    length(var.consul.files) == 0 ? [] : [["systemctl", "enable", "--now", "consul"]],
  )
}
