module "machines" {
  source = "../machines"

  machines        = local.machines
  image           = var.image
  network         = var.network
  user_data       = local.user_data
  secrets         = local.secrets
  secrets_version = var.secrets_version
  wait_for        = var.wait_for
  drain           = var.drain
  allow_change    = var.allow_change
  stopped         = var.stopped
  pool            = var.pool
  protect_data    = var.protect_data
  domain_type     = var.domain_type
  timeouts        = var.timeouts
  description     = "A member of the MySQL pair ${var.name}."

  shutdown_timeout = "2m" # it writes what it has in memory
}

locals {
  members   = sort(keys(var.machines))
  other     = { for name in local.members : name => one(setsubtract(local.members, [name])) }
  addresses = { for name, machine in var.machines : name => split("/", machine.address)[0] }

  machines = {
    for name, machine in var.machines : name => merge(machine, { data = merge({ mysql = var.data_size }, machine.data) })
  }

  files = {
    for name in local.members : name => merge(var.consul.files, {
      "/etc/mysql-pair.env"                     = local.environment[name]
      "/etc/mysql/mariadb.conf.d/60-server.cnf" = local.server[name]
      "/usr/local/sbin/mysql-pair-setup"        = file("${path.module}/files/mysql-pair-setup.sh")
      "/etc/systemd/system/mysql-pair-setup.service" = templatefile("${path.module}/files/mysql-pair-setup.service.tftpl", {
        disk = var.image.kind == "disk" ? "/dev/disk/by-id/virtio-mysql" : ""
      })
    })
  }

  user_data = {
    for name in local.members : name => "#cloud-config\n${yamlencode({
      write_files = [
        for path, content in local.files[name] : { path = path, content = content, permissions = startswith(path, "/usr/local/sbin/") ? "0755" : "0644" }
      ]
      runcmd = [
        ["install", "-D", "-m", "644", "/usr/local/share/mysql-pair/mariadb.conf", "/etc/systemd/system/mariadb.service.d/pair.conf"],
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", "--now", "consul.service"],
        ["systemctl", "enable", "--now", "--no-block", "mysql-pair-setup.service", "mariadb.service", "mysql-pair.service", "mysql-pair-leave.service"],
      ]
    })}"
  }

  secrets = {
    for name in local.members : name => "#cloud-config\n${yamlencode({
      write_files = concat(
        [for path, content in var.consul_secrets : { path = path, content = content, permissions = "0640", owner = "root:consul" }],
        [for path, content in local.secret_files : { path = path, content = content, permissions = "0600", owner = "root:root" }],
        [for path, content in local.tls_files[name] : { path = path, content = content, permissions = "0640", owner = "root:mysql" }],
      )
    })}"
  }
}
