# A machine without a Consul agent. consul-esm pings it and runs its checks.
resource "consul_node" "database" {
  provider = hypervisor

  name             = "db-1"
  address          = "10.0.0.201"
  tagged_addresses = { wan = "203.0.113.201" }
  meta             = { rack = "r1" }

  checks = {
    ssh = { tcp = "10.0.0.201:22", interval = "30s" }
  }
}

resource "consul_service" "database" {
  provider = hypervisor

  name    = "database"
  node    = consul_node.database.name
  address = "10.0.0.201"
  port    = 5432

  checks = {
    port = { tcp = "10.0.0.201:5432", interval = "10s", status = "passing" }
  }

  drain = "10s" # out of DNS for so long before it is deregistered
}
