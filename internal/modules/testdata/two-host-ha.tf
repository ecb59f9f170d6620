# The whole layout on hosts that are only written down. The timers are slower than the module's own: nothing is to be taken for lost
# because the machine that runs this is busy.

terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

variable "secrets" {
  type      = any
  ephemeral = true
}

provider "hypervisor" {
  hosts = { for name in local.hosts : name => { uri = "qemu+tcp://127.0.0.1:1/system" } } # nobody is there
}

locals {
  hosts = ["alpha", "beta", "gamma"]
}

module "platform" {
  source  = "./modules/two-host-ha"
  hosts   = ["alpha", "beta"]
  witness = "gamma"
  address = "10.0.0.100/24"
  network = { bridge = "br0" }
  image   = { kind = "archive", volumes = { for name in local.hosts : name => name } }
  facts   = { for name in local.hosts : name => { nodes = [{ memory = "64GiB", cores = [for core in range(32) : tostring(core)] }] } }
  secrets = var.secrets

  detection = { probe_interval = "1s", probe_timeout = "500ms", suspicion_mult = 4 }

  gateway = { vcpus = 1, memory = "1GiB", https = { enabled = false }, vrrp = { advert_interval = "1s", failures = 5 } }
  consul  = { vcpus = 1, memory = "1GiB" }
  redis   = { vcpus = 1, memory = "512MiB" }
  web     = { vcpus = 1, memory = "1GiB", server = "none" }
  mysql = {
    vcpus     = 1
    memory    = "128MiB"
    databases = ["shop"]
    users     = { shop = { database = "shop" } }
    settings  = { innodb_log_file_size = "8M" }
  }
}

output "machines" {
  value = module.platform.machines
}
