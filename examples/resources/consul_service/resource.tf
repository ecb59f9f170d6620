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

  wait_for_passing = "30s" # before what depends on it, such as a route, is made
  drain            = "10s" # in maintenance mode for so long before it is deregistered
}

# Other kinds of checks, which an agent runs.
resource "consul_service" "api" {
  provider = hypervisor

  name    = "api"
  address = "10.0.0.102"
  port    = 9000
  weights = { passing = 10, warning = 1 }

  checks = {
    health = { grpc = "10.0.0.102:9000/shop", tls = { server_name = "api.example.com" } }
    page   = { http = "https://10.0.0.102/ready", request = { method = "HEAD" }, thresholds = { warning = 1, critical = 3 } }
    report = { ttl = "30s" }
  }
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
