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
  service_ttl     = merge([for pair in range(1, local.pairs + 1) : { for role in ["writer", "reader"] : "mysql-${pair}-${role}" => "1s" }]...)
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

# The databases are divided among the pairs, each of which has a writer and a reader of its own in Consul.
module "mysql" {
  source   = "../mysql-pair"
  for_each = toset([for pair in range(1, local.pairs + 1) : tostring(pair)])

  name            = "mysql-${each.key}"
  services        = { writer = "mysql-${each.key}-writer", reader = "mysql-${each.key}-reader" }
  machines        = { for name, machine in local.machines.mysql : name => machine if startswith(name, "mysql-${each.key}-") }
  data_size       = var.disks.mysql
  databases       = [for database, pair in var.databases : database if tostring(pair) == each.key]
  users           = { for name, user in var.database_users : name => user if tostring(lookup(var.databases, user.database, 0)) == each.key }
  passwords       = { replication = var.secrets.mysql.replication, users = { for name, password in var.secrets.mysql.users : name => password if tostring(try(var.databases[var.database_users[name].database], 0)) == each.key } }
  image           = var.image
  network         = local.network
  consul          = module.consul.agent
  consul_secrets  = module.agent_secrets.files
  consul_token    = lookup(var.secrets.consul.tokens, "mysql-pair", "")
  detection       = module.consul.detection
  secrets_version = var.secrets_version
  allow_change    = lookup(var.allow_change, "mysql", "live")
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
  count  = var.tiers.elasticsearch.machines > 0 ? 1 : 0

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
