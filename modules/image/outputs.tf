output "image" {
  description = "For the input `image` of the other modules: `volumes`, the image's volume on each host, and its `kind`."
  value = {
    volumes = { for host, volume in hypervisor_volume.image : host => volume.id }
    kind    = var.kind
  }
}
