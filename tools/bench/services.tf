# Services as a team would declare them, each instance on a node of the catalog and with a check.

terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "address" { type = string }
variable "services" { type = number }
variable "instances" { type = number } # of each, on a node each

provider "hypervisor" {
  consul = { address = var.address }
}

resource "consul_service" "instance" {
  provider = hypervisor
  count    = var.services * var.instances # a map of 10,000 is copied for each of its elements, which takes Terraform a quarter of an hour
  name     = "service-${floor(count.index / var.instances)}"
  id       = "service-${floor(count.index / var.instances)}-${count.index % var.instances}"
  node     = "node-${count.index % var.instances}"
  address  = "10.0.0.1"
  port     = 8080
  tags     = ["v1"]

  checks = {
    health = { http = "http://10.0.0.1:8080/health", interval = "10s", timeout = "2s", status = "passing" }
  }
}
