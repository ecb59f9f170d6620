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

module "web" {
  source = "./modules/web-tier"

  machines       = { web-1 = { placement = { host = "alpha", pins = ["2"] }, address = "${var.client}/24", memory = "1GiB" } }
  image          = local.image
  network        = local.network
  server         = "none"
  consul         = module.consul.agent
  consul_secrets = module.agent_secrets.files
  consul_token   = var.secrets.tokens["services"]
  drain_time     = "1s"

  # Nothing answers: its health is said.
  files = {
    "/etc/consul.d/web.json" = jsonencode({ service = { name = "web", id = "web-1", address = var.client, port = 80, checks = [{ name = "alive", ttl = "1h", status = "passing" }] } })
  }
}
