# Two machines with Apache and PHP, one on each host. The placement is written down here; a hypervisor_placement decides it.

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

module "web" {
  source = "../.."

  machines = {
    web-1 = { placement = { host = "alpha", pins = ["2", "34"], emulator = "0,32" }, address = "10.0.0.101/24", memory = "4GiB" }
    web-2 = { placement = { host = "beta", pins = ["2", "34"], emulator = "0,32" }, address = "10.0.0.102/24", memory = "4GiB" }
  }

  image   = { volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2" } }
  network = { bridge = "br0", gateway = "10.0.0.1", nameservers = ["10.0.0.1"] }
  consul  = { files = { "/etc/consul.d/agent.json" = jsonencode({ retry_join = ["10.0.0.21", "10.0.0.22", "10.0.0.23"] }) } }

  files = { "/var/www/html/index.php" = "<?php echo 'Hello from ', gethostname(), \"\\n\";\n" }
}

output "workers" {
  value = module.web.workers # 56 requests at a time on each
}

output "files" {
  value = module.web.files
}
