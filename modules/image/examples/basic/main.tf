# The image that the recipe built, on two hosts.

terraform {
  required_version = ">= 1.11"

  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  hosts = {
    alpha = { uri = "qemu+ssh://root@10.0.0.11/system" }
    beta  = { uri = "qemu+ssh://root@10.0.0.12/system" }
  }
}

module "image" {
  source = "../.."

  hosts    = ["alpha", "beta"]
  release  = "2026-11"
  url      = "https://images.example.com/debian-12-2026-11.qcow2"
  checksum = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
}

output "image" {
  value = module.image.image
}
