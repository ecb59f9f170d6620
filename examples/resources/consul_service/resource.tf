# Through an agent, the one at the provider's Consul address. It runs the checks.
resource "consul_service" "web" {
  provider = hypervisor

  name    = "web"
  id      = "web-1"
  address = "10.0.0.101"
  port    = 80
  tags    = ["v2"]
  meta    = { rack = "r1" }

  checks = {
    page = { http = "http://10.0.0.101/health", interval = "2s", timeout = "1s" }
    port = { tcp = "10.0.0.101:80" }
  }

  wait_for_passing = "30s"
}

# In the catalog, on a node that runs no agent, such as a switch or a managed database. consul-esm runs the checks; where
# there is none, a status of passing keeps the instance in DNS.
resource "consul_service" "database" {
  provider = hypervisor

  name    = "database"
  node    = "db-1"
  address = "10.0.0.201"
  port    = 5432

  checks = {
    port = { tcp = "10.0.0.201:5432", interval = "10s", status = "passing" }
  }
}
