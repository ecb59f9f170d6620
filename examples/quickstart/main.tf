# Two machines on two hosts, one service in Consul, one route in the gateway.

terraform {
  required_version = ">= 1.10"
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  hosts   = { for name, uri in var.hosts : name => { uri = uri } }
  consul  = { address = var.consul }
  gateway = { traefik = {} }
}

# The image goes to each host once; every machine's disk is an overlay on it.
resource "hypervisor_volume" "image" {
  for_each = var.hosts
  host     = each.key
  name     = "web-base.qcow2"
  source   = { file = var.image }
}

resource "hypervisor_volume" "root" {
  for_each = var.machines
  host     = each.value.host
  name     = "${each.key}.qcow2"
  backing  = hypervisor_volume.image[each.value.host].id
}

# A vCPU on a core of its own, QEMU's other threads elsewhere.
resource "hypervisor_vm" "web" {
  for_each    = var.machines
  name        = each.key
  host        = each.value.host
  domain_type = var.domain_type
  memory      = var.memory
  cpu         = { pins = ["1"], emulator = "0" }

  disks      = { root = { volume = hypervisor_volume.root[each.key].id } }
  interfaces = { lan = { bridge = "br0" } }

  cloud_init = {
    user_data = templatefile("${path.module}/web.yaml", { name = each.key, host = each.value.host })
    network   = { lan = { addresses = ["${each.value.address}/24"], gateway = var.lan_gateway } }
  }

  wait_for = { tcp = "${each.value.address}:80" }
}

# Consul asks each machine every second whether it is well, and its DNS names those that are.
resource "consul_service" "up" {
  provider = hypervisor
  for_each = var.machines
  name     = "up"
  id       = hypervisor_vm.web[each.key].name
  address  = each.value.address
  port     = 80
  checks   = { http = { http = "http://${each.value.address}/health", interval = "1s", timeout = "1s" } }

  wait_for_passing = "30s"
}

# The gateway spreads requests over whatever Consul says is there.
resource "gateway_upstream" "up" {
  provider   = hypervisor
  name       = "up"
  services   = { up = { weight = 100 } }
  depends_on = [consul_service.up]
}

resource "gateway_route" "shop" {
  provider = hypervisor
  name     = "shop"
  hosts    = ["shop.example.com"]
  paths    = ["/"]
  upstream = gateway_upstream.up.name
}
