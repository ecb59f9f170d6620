terraform {
  required_version = ">= 1.10"
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}
