# A new version of a service receives a share of the traffic that grows apply by apply: canary = 0, 10, 100.

terraform {
  required_version = ">= 1.10"
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  consul  = { address = var.consul }
  gateway = { traefik = {} }
}

variable "consul" {
  description = "Address of Consul, whose catalog has the services web and web-next."
  type        = string
  default     = "http://127.0.0.1:8500"
}

variable "host" {
  description = "Host name that the requests are for."
  type        = string
  default     = "shop.example.com"
}

variable "canary" {
  description = "Share of the requests that the new version answers, in percent."
  type        = number
  default     = 0

  validation {
    condition     = var.canary >= 0 && var.canary <= 100 && floor(var.canary) == var.canary
    error_message = "The canary's share is a whole number from 0 to 100."
  }
}

# The weights are a change in place, in one transaction: no request is lost.
resource "gateway_upstream" "shop" {
  provider = hypervisor

  name = "shop"
  services = {
    web      = { weight = 100 - var.canary }
    web-next = { weight = var.canary }
  }
}

resource "gateway_route" "shop" {
  provider = hypervisor

  name     = "shop"
  hosts    = [var.host]
  upstream = gateway_upstream.shop.name
}

# Whoever tests the new version reaches it alone, whatever its share.
resource "gateway_upstream" "next" {
  provider = hypervisor

  name     = "shop-next"
  services = { web-next = {} }
}

resource "gateway_route" "next" {
  provider = hypervisor

  name     = "shop-next"
  hosts    = [var.host]
  headers  = { X-Canary = ["yes"] }
  upstream = gateway_upstream.next.name
}
