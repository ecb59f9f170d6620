# Services as a team would declare them, each instance on a node of the catalog and with a check.

terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "address" { type = string }
variable "instances" { type = map(object({ service = string, node = string })) }

provider "hypervisor" {
  consul = { address = var.address }
}

resource "consul_service" "instance" {
  provider = hypervisor
  for_each = var.instances
  name     = each.value.service
  id       = each.key
  node     = each.value.node
  address  = "10.0.0.1"
  port     = 8080
  tags     = ["v1"]

  checks = {
    health = { http = "http://10.0.0.1:8080/health", interval = "10s", timeout = "2s", status = "passing" }
  }
}
