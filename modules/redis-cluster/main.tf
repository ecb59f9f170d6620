module "machines" {
  source = "../machines"

  machines        = var.machines
  image           = var.image
  network         = var.network
  pool            = var.pool
  description     = "Redis Cluster, service ${var.service}."
  user_data       = local.user_data
  secrets         = local.secrets
  secrets_version = var.secrets_version
  drain           = var.drain
  allow_change    = var.allow_change
  domain_type     = var.domain_type
  timeouts        = var.timeouts
}

locals {
  disks = { for name, machine in var.machines : name => { for disk, size in machine.data : disk => size if var.image.kind == "disk" } } # a container has none

  user_data = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      write_files = [for path, content in local.files[name] : { path = path, content = content, permissions = startswith(path, "/usr/") ? "0755" : "0644" }]
      fs_setup    = [for disk in keys(local.disks[name]) : { device = "/dev/disk/by-id/virtio-redis", filesystem = "ext4", label = "redis", overwrite = false } if disk == "redis"]
      mounts      = [for disk in keys(local.disks[name]) : ["LABEL=redis", "/var/lib/redis", "ext4", "defaults,noatime"] if disk == "redis"]
      runcmd      = local.commands
    })}"
  }

  secrets = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      write_files = concat(
        [for path, content in var.consul_secrets : { path = path, content = content, permissions = "0640", owner = "root:consul" }],
        [{ path = "/etc/redis/secret.conf", content = "requirepass ${var.password}\nmasterauth ${var.password}\n", permissions = "0640", owner = "root:redis" }],
      )
    })}"
  }
}
