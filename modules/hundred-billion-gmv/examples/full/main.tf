# A yearly GMV of ten billion yuan on servers that are not bought yet: the target gives the tiers, the tiers the hosts, and the plan says
# whether every machine finds its own cores on them.

terraform {
  required_version = ">= 1.11"

  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  hosts = { for name in keys(local.hosts) : name => { uri = terraform_data.uri[name].output } }
}

# Unknown until an apply: a plan then asks no host. Write the addresses into the provider's block once the servers stand there.
resource "terraform_data" "uri" {
  for_each = local.hosts
  input    = "qemu+ssh://root@${each.key}/system"
}

variable "annual_gmv" {
  description = "The target, in yuan a year."
  type        = number
  default     = 10e9
}

variable "web_machines" {
  description = "Web machines of today: 34 suffice on an ordinary day, all of the sizing's at the sale. Null for those of the sale."
  type        = number
  default     = null
}

module "sizing" {
  source     = "../../../sizing"
  annual_gmv = var.annual_gmv
}

locals {
  # Two sockets of 16 cores with two threads each, and 256 GiB. One rack has at most four of them.
  server = { nodes = [for first in [0, 16] : { memory = "128GiB", cores = [for core in range(first, first + 16) : "${core},${core + 32}"] }] }
  hosts  = { for n in range(1, module.sizing.hosts + 1) : format("host-%02d", n) => local.server }
  racks  = { for n in range(1, module.sizing.hosts + 1) : format("host-%02d", n) => "rack-${(n - 1) % 3 + 1}" }
}

module "platform" {
  source = "../.."

  tiers           = module.sizing.tiers
  web_machines    = var.web_machines
  hosts           = local.hosts
  failure_domains = local.racks
  address         = "10.0.0.4/22"
  network         = { bridge = "br0", cidr = "10.0.0.0/22", gateway = "10.0.0.1", nameservers = ["10.0.0.1"] }
  image           = { volumes = { for host in keys(local.hosts) : host => "${host}/default/debian-12.qcow2" } }
  databases       = { for n, name in ["orders", "goods", "members", "payments"] : name => n % (module.sizing.tiers.mysql.machines / 2) + 1 }
  elasticsearch   = { security = false } # on a network that nobody else is on
  secrets         = var.secrets
}

variable "secrets" {
  description = "As in the module; from the environment or a vault, never from a file of this folder. These are of nobody."
  type = object({
    consul = object({
      gossip_key         = string
      ca_certificate     = string
      server_certificate = string
      server_key         = string
      tokens             = map(string)
    })
    mysql          = object({ replication = string })
    redis_password = string
  })
  ephemeral = true
  default = {
    consul = {
      gossip_key         = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
      ca_certificate     = "-----BEGIN CERTIFICATE-----\n"
      server_certificate = "-----BEGIN CERTIFICATE-----\n"
      server_key         = "-----BEGIN PRIVATE KEY-----\n"
      tokens = {
        management = "00000000-0000-0000-0000-000000000001"
        agent      = "00000000-0000-0000-0000-000000000002"
        services   = "00000000-0000-0000-0000-000000000003"
        gateway    = "00000000-0000-0000-0000-000000000004"
        mysql-pair = "00000000-0000-0000-0000-000000000005"
      }
    }
    mysql          = { replication = "another-example-of-nobody" }
    redis_password = "an-example-of-nobody"
  }
}

output "machines" {
  value = module.sizing.total.machines
}

output "core_map" {
  value = module.platform.core_map
}
