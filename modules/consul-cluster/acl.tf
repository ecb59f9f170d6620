# Policies and tokens. Each server sets them right when it starts, so whoever changes one changes it here.

locals {
  policies = merge({
    # An agent registers its machine. One token serves all of them, since machines come and go without this module.
    agent = <<-EOT
      node_prefix "" { policy = "write" }
      service_prefix "" { policy = "read" }
      agent_prefix "" { policy = "read" }
    EOT

    # What every process on a machine may ask its agent without a token: where things are.
    dns = <<-EOT
      node_prefix "" { policy = "read" }
      service_prefix "" { policy = "read" }
      query_prefix "" { policy = "read" }
    EOT

    # Services that stand in an agent's configuration, such as the web machines'. MySQL's are for its pairs alone: whoever
    # registers a writer takes the writes.
    services = <<-EOT
      service_prefix "" { policy = "write" }
      service_prefix "mysql-" { policy = "read" }
      node_prefix "" { policy = "read" }
    EOT

    # The agents of the pairs: their record, its lock, and the names under which the servers are found.
    mysql-pair = <<-EOT
      key_prefix "mysql-pair/" { policy = "write" }
      session_prefix "" { policy = "write" }
      service_prefix "mysql-" { policy = "write" }
      node_prefix "" { policy = "read" }
      agent_prefix "" { policy = "read" }
    EOT

    # Traefik: services and their health, and its own configuration.
    gateway = <<-EOT
      key_prefix "traefik" { policy = "read" }
      service_prefix "" { policy = "read" }
      node_prefix "" { policy = "read" }
    EOT
  }, var.policies)

  # The anonymous token is Consul's own and always has this id.
  anonymous = "00000000-0000-0000-0000-000000000002"

  acl_tokens = concat(
    [{ AccessorID = local.anonymous, Description = "Whoever shows no token", Policies = [{ Name = "dns" }] }],
    [for name in sort(keys(local.policies)) : {
      AccessorID  = uuidv5("dns", "${name}.${var.datacenter}.tokens.consul-cluster")
      SecretID    = var.secrets.tokens[name]
      Description = "Made by the servers of ${var.datacenter}"
      Policies    = [{ Name = name }]
    } if contains(keys(var.secrets.tokens), name)],
  )

  acl_files = [
    {
      path        = "/etc/consul-acl/policies.json"
      permissions = "0644"
      content     = jsonencode([for name, rules in local.policies : { Name = name, Description = "Made by the servers of ${var.datacenter}", Rules = rules }])
    },
    { path = "/usr/local/sbin/consul-acl", permissions = "0755", content = file("${path.module}/files/consul-acl.sh") },
    { path = "/usr/local/sbin/consul-yield", permissions = "0755", content = file("${path.module}/files/consul-yield.sh") },
    { path = "/etc/systemd/system/consul.service.d/yield.conf", permissions = "0644", content = file("${path.module}/files/consul-yield.conf") },
    { path = "/etc/systemd/system/consul-acl.service", permissions = "0644", content = file("${path.module}/files/consul-acl.service") },
  ]
}
