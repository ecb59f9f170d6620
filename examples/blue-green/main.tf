# Two versions of a service stand side by side, and one of them is live. Changing live is the switch, and the way back.

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
  description = "Address of Consul, whose catalog has the services blue and green."
  type        = string
  default     = "http://127.0.0.1:8500"
}

variable "host" {
  description = "Host name that the requests are for."
  type        = string
  default     = "shop.example.com"
}

variable "live" {
  description = "Which of the two versions answers."
  type        = string
  default     = "blue"

  validation {
    condition     = contains(["blue", "green"], var.live)
    error_message = "Either blue or green is live."
  }
}

resource "gateway_upstream" "version" {
  provider = hypervisor
  for_each = toset(["blue", "green"])

  name     = "shop-${each.key}"
  services = { (each.key) = {} }
}

# The route changes its upstream in place: requests before the change go to one version, those after it to the other.
resource "gateway_route" "live" {
  provider = hypervisor

  name     = "shop"
  hosts    = [var.host]
  upstream = gateway_upstream.version[var.live].name
}

# Both versions can be looked at before and after the switch.
resource "gateway_route" "version" {
  provider = hypervisor
  for_each = gateway_upstream.version

  name     = "shop-${each.key}"
  hosts    = ["${each.key}.${var.host}"]
  upstream = each.value.name
}
