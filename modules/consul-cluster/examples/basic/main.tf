# Three servers on two hosts and a witness, and the configuration of everybody else's agent.

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
    gamma = { uri = "qemu+ssh://root@10.0.0.13/system" } # the witness: any small machine elsewhere
  }
}

variable "secrets" {
  description = "As the module's README makes them; from the environment (`TF_VAR_secrets`) or a secret store."
  type = object({
    gossip_key         = string
    ca_certificate     = string
    server_certificate = string
    server_key         = string
    tokens             = map(string)
  })
  ephemeral = true
  default = {
    gossip_key         = "bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGUuLi4="
    ca_certificate     = "-----BEGIN CERTIFICATE-----\nan example\n-----END CERTIFICATE-----\n"
    server_certificate = "-----BEGIN CERTIFICATE-----\nan example\n-----END CERTIFICATE-----\n"
    server_key         = "-----BEGIN PRIVATE KEY-----\nan example\n-----END PRIVATE KEY-----\n"
    tokens = {
      management = "00000000-0000-0000-0000-00000000aaaa"
      agent      = "00000000-0000-0000-0000-00000000bbbb"
      services   = "00000000-0000-0000-0000-00000000cccc"
    }
  }
}

module "consul" {
  source = "../.."

  machines = {
    for name, server in {
      consul-1 = { host = "alpha", address = "10.0.0.21/24" }
      consul-2 = { host = "beta", address = "10.0.0.22/24" }
      consul-3 = { host = "gamma", address = "10.0.0.23/24" }
    } :
    name => { placement = { host = server.host, pins = ["2"] }, address = server.address, memory = "2GiB" }
  }

  image   = { volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.qcow2" } }
  network = { bridge = "br0", gateway = "10.0.0.1", nameservers = ["10.0.0.1"] }
  secrets = var.secrets
}

output "agent" {
  value = module.consul.agent
}

output "addresses" {
  value = module.consul.addresses
}
