module "machines" {
  source = "../machines"

  machines        = var.machines
  image           = var.image
  network         = var.network
  pool            = var.pool
  description     = "Docker Engine."
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
      apt         = { sources = var.repositories }
      packages    = var.packages
      write_files = [for path, content in local.files[name] : { path = path, content = content, permissions = "0644" }]
      fs_setup    = [for disk in keys(local.disks[name]) : { device = "/dev/disk/by-id/virtio-docker", filesystem = "ext4", label = "docker", overwrite = false } if disk == "docker"]
      mounts      = [for disk in keys(local.disks[name]) : ["LABEL=docker", "/var/lib/docker", "ext4", "defaults,noatime"] if disk == "docker"]
      runcmd      = local.commands
    })}"
  }

  secrets = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      write_files = [for path, content in var.consul_secrets : { path = path, content = content, permissions = "0640", owner = "root:consul" }]
    })}" if var.secrets_version != null
  }
}
