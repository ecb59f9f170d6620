# In the maintenance of a host the address goes first, while all that is behind it still answers, and then web machines, while their
# databases do. Consul's server goes when it likes: the others are a majority, and databases start only where Consul is.

module "consul" {
  source = "../consul-cluster"

  machines        = local.tiers.consul
  image           = var.image
  network         = var.network
  datacenter      = var.datacenter
  secrets         = var.secrets.consul
  secrets_version = var.secrets_version
  policies        = var.policies
  detection       = merge(var.detection, { members = length(local.fleet) })
  dns_ttl         = var.dns_ttl
  service_ttl     = {} # one for all, which the estimate is made of
  survives        = var.witness == null ? null : "host"
  stopped         = local.stopped.consul
  pool            = var.pool
  domain_type     = var.domain_type
  timeouts        = var.timeouts
}

module "agent_secrets" {
  source  = "../consul-cluster/agent-secrets"
  secrets = var.secrets.consul
}

module "gateway" {
  source = "../gateway-pair"

  machines        = local.tiers.gateway
  address         = var.address
  engine          = var.gateway.engine
  https           = var.gateway.https
  vrrp            = var.gateway.vrrp
  dial_timeout    = var.gateway.dial_timeout
  routes          = coalesce(var.routes, { web = { service = "web", tries = local.tries } })
  certificates    = var.secrets.certificates
  image           = var.image
  network         = var.network
  consul          = module.consul.agent
  consul_secrets  = module.agent_secrets.files
  consul_token    = lookup(var.secrets.consul.tokens, "gateway", "")
  secrets_version = var.secrets_version
  stopped         = local.stopped.gateway
  pool            = var.pool
  domain_type     = var.domain_type
  timeouts        = var.timeouts
}

module "web" {
  source = "../web-tier"

  machines        = local.tiers.web
  server          = var.web.server
  port            = var.web.port
  health_path     = var.web.health_path
  apache          = var.web.apache
  packages        = var.web.packages
  files           = var.web.files
  commands        = var.web.commands
  drain_time      = var.web.drain_time
  image           = var.image
  network         = var.network
  consul          = module.consul.agent
  consul_secrets  = module.agent_secrets.files
  consul_token    = var.secrets.consul.tokens["services"]
  secrets_version = var.secrets_version
  stopped         = local.stopped.web
  pool            = var.pool
  domain_type     = var.domain_type
  timeouts        = var.timeouts

  depends_on = [module.gateway]
}

module "mysql" {
  source = "../mysql-pair"

  machines        = local.tiers.mysql
  auto_failover   = var.auto_failover && var.witness != null
  data_size       = var.mysql.data
  databases       = var.mysql.databases
  users           = var.mysql.users
  settings        = var.mysql.settings
  passwords       = { replication = var.secrets.mysql.replication, users = var.secrets.mysql.users }
  tls             = var.mysql.tls
  certificates    = var.secrets.mysql.certificates == null ? { ca = "", servers = {} } : var.secrets.mysql.certificates
  detection       = module.consul.detection
  dns_ttl         = var.dns_ttl
  image           = var.image
  network         = var.network
  consul          = module.consul.agent
  consul_secrets  = module.agent_secrets.files
  consul_token    = lookup(var.secrets.consul.tokens, "mysql-pair", "")
  secrets_version = var.secrets_version
  stopped         = local.stopped.mysql
  pool            = var.pool
  domain_type     = var.domain_type
  timeouts        = var.timeouts

  depends_on = [module.web]
}

module "redis" {
  source = "../redis-pair"

  machines        = local.tiers.redis
  witness         = var.witness == null ? null : "redis-3"
  auto_failover   = var.auto_failover && var.witness != null
  password        = var.secrets.redis_password
  down_after      = var.redis.down_after
  eviction        = var.redis.eviction
  image           = var.image
  network         = var.network
  consul          = module.consul.agent
  consul_secrets  = module.agent_secrets.files
  secrets_version = var.secrets_version
  stopped         = local.stopped.redis
  pool            = var.pool
  domain_type     = var.domain_type
  timeouts        = var.timeouts

  depends_on = [module.web]
}
