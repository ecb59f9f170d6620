module "machines" {
  source = "../machines"

  machines        = var.machines
  image           = var.image
  network         = var.network
  pool            = var.pool
  description     = "Elasticsearch, cluster ${var.cluster}."
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
      swap        = { size = 0 }
      write_files = [for path, content in local.files[name] : { path = path, content = content, permissions = "0644", defer = startswith(path, "/etc/elasticsearch/") }]
      fs_setup    = [for disk in keys(local.disks[name]) : { device = "/dev/disk/by-id/virtio-data", filesystem = "ext4", label = "data", overwrite = false } if disk == "data"]
      mounts      = [for disk in keys(local.disks[name]) : ["LABEL=data", "/var/lib/elasticsearch", "ext4", "defaults,noatime"] if disk == "data"]
      runcmd      = local.commands
    })}"
  }

  certificates = var.certificates == null ? {} : { "ca.crt" = var.certificates.ca, "node.crt" = var.certificates.certificate, "node.key" = var.certificates.key }

  # The service's user is there once its package is.
  secrets = {
    for name in keys(var.machines) : name => "#cloud-config\n${yamlencode({
      write_files = concat(
        [for path, content in var.consul_secrets : { path = path, content = content, permissions = "0640", owner = "root:consul" }],
        [for file, content in local.certificates : { path = "/etc/elasticsearch/certs/${file}", content = content, permissions = "0640", owner = "root:elasticsearch", defer = true }],
      )
    })}"
  }
}
