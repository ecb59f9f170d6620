resource "gateway_upstream" "web" {
  provider = hypervisor

  name     = "web"
  services = { web = {} }
}

resource "gateway_route" "shop" {
  provider = hypervisor

  name     = "shop"
  hosts    = ["shop.example.com"]
  upstream = gateway_upstream.web.name
}

# At most 50 requests a second from one address. On Kong: type = "rate-limiting", config = { second = 50, limit_by = "ip" }.
resource "gateway_plugin" "limit" {
  provider = hypervisor

  name   = "limit"
  type   = "rateLimit"
  route  = gateway_route.shop.name
  config = { average = 50, burst = 100 }
}

# A password before everything, which is in no plan and no state. Traefik wants it hashed, as htpasswd does.
variable "secret" {
  type      = string
  ephemeral = true
}

resource "gateway_plugin" "staff" {
  provider = hypervisor

  name              = "staff"
  type              = "basicAuth"
  config            = { realm = "staff" }
  config_wo         = { users = [var.secret] }
  config_wo_version = 1
}
