# Three servers, and a machine of a tier that has an agent and a service of its own.

variable "secrets" {
  type = object({
    gossip_key         = string
    ca_certificate     = string
    server_certificate = string
    server_key         = string
    tokens             = map(string)
  })
  ephemeral = true
}

variable "servers" { type = map(string) }
variable "client" { type = string }

locals {
  network = { bridge = "br0" }
  image   = { volumes = { alpha = "a", beta = "b", gamma = "c" } }
  hosts   = ["alpha", "beta", "gamma"]
}

module "consul" {
  source = "./modules/consul-cluster"

  machines = {
    for index, name in sort(keys(var.servers)) : name => {
      placement = { host = local.hosts[index], pins = ["1"] }
      address   = "${var.servers[name]}/24"
      memory    = "1GiB"
    }
  }
  image   = local.image
  network = local.network
  secrets = var.secrets
}

module "agent_secrets" {
  source  = "./modules/consul-cluster/agent-secrets"
  secrets = var.secrets
}

module "tier" {
  source = "./modules/machines"

  machines = { web-1 = { placement = { host = "alpha", pins = ["2"] }, address = "${var.client}/24", memory = "1GiB" } }
  image    = local.image
  network  = local.network

  user_data = {
    web-1 = "#cloud-config\n${yamlencode({
      write_files = [
        for path, content in merge(module.consul.agent.files, {
          "/etc/consul.d/web.json" = jsonencode({ service = { name = "web", id = "web-1", address = var.client, port = 80, checks = [{ name = "alive", ttl = "1h", status = "passing" }] } })
        }) : { path = path, content = content }
      ]
    })}"
  }

  secrets = {
    web-1 = "#cloud-config\n${yamlencode({ write_files = [for path, content in module.agent_secrets.files : { path = path, content = content }] })}"
  }
  secrets_version = 1
}
