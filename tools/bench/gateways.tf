# Routes as a team of many services would have them, each with an upstream of its own.

terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "consul" { type = string }
variable "kong" {
  type    = string
  default = null
}
variable "routes" { type = number }

provider "hypervisor" {
  consul = { address = var.consul }
  gateway = {
    kong    = var.kong == null ? null : { admin_url = var.kong }
    traefik = var.kong == null ? {} : null
  }
}

resource "gateway_upstream" "all" {
  provider = hypervisor
  count    = var.routes
  name     = "up-${count.index}"
  services = { "web-${count.index}" = {} }
}

resource "gateway_route" "all" {
  provider = hypervisor
  count    = var.routes
  name     = "route-${count.index}"
  hosts    = ["${count.index}.example.com"]
  upstream = gateway_upstream.all[count.index].name
}
