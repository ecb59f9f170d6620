module "consul" {
  source = "../consul-cluster"

  machines        = local.machines.consul
  domains         = local.domains
  image           = var.image
  network         = local.network
  datacenter      = var.datacenter
  secrets         = var.secrets.consul
  secrets_version = var.secrets_version
  detection       = { members = length(local.fleet) }
  allow_change    = lookup(var.allow_change, "consul", "live")
  pool            = var.pool
  domain_type     = var.domain_type
}

module "agent_secrets" {
  source  = "../consul-cluster/agent-secrets"
  secrets = var.secrets.consul
}

module "gateway" {
  source = "../gateway-pair"

  machines        = local.machines.gateway
  address         = var.address
  engine          = var.gateway.engine
  https           = var.gateway.https
  routes          = { web = { service = "web", tries = 3 } }
  certificates    = var.secrets.certificates
  image           = var.image
  network         = local.network
  consul          = module.consul.agent
  consul_secrets  = module.agent_secrets.files
  consul_token    = lookup(var.secrets.consul.tokens, "gateway", "")
  secrets_version = var.secrets_version
  allow_change    = lookup(var.allow_change, "gateway", "live")
  pool            = var.pool
  domain_type     = var.domain_type
}

module "web" {
  source = "../web-tier"

  machines        = local.machines.web
  port            = var.web.port
  health_path     = var.web.health_path
  apache          = var.web.apache
  packages        = var.web.packages
  files           = var.web.files
  commands        = var.web.commands
  drain_time      = var.web.drain_time
  image           = var.image
  network         = local.network
  consul          = module.consul.agent
  consul_secrets  = module.agent_secrets.files
  consul_token    = var.secrets.consul.tokens["services"]
  secrets_version = var.secrets_version
  allow_change    = lookup(var.allow_change, "web", "live")
  pool            = var.pool
  domain_type     = var.domain_type
}

module "redis" {
  source = "../redis-cluster"

  machines        = local.machines.redis
  failure_domains = local.domains
  replicas        = var.redis_replicas
  password        = var.secrets.redis_password
  image           = var.image
  network         = local.network
  consul          = module.consul.agent
  consul_secrets  = module.agent_secrets.files
  secrets_version = var.secrets_version
  allow_change    = lookup(var.allow_change, "redis", "live")
  pool            = var.pool
  domain_type     = var.domain_type
}

module "elasticsearch" {
  source = "../elasticsearch"

  machines        = local.machines.elasticsearch
  failure_domains = local.domains
  security        = var.elasticsearch.security
  certificates    = var.secrets.elasticsearch
  packages        = var.elasticsearch.packages
  repositories    = var.elasticsearch.repositories
  image           = var.image
  network         = local.network
  consul          = module.consul.agent
  consul_secrets  = module.agent_secrets.files
  secrets_version = var.secrets_version
  allow_change    = lookup(var.allow_change, "elasticsearch", "live")
  pool            = var.pool
  domain_type     = var.domain_type
}
