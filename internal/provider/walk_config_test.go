package provider_test

// walkedOnConsul is all that the provider makes in Consul: %[1]s is the subject's name, %[2]t whether it is changed.
const walkedOnConsul = `
resource "consul_node" "%[1]s" {
  provider = hypervisor.%[1]s
  name     = "%[1]s-node"
  address  = %[2]t ? "10.0.0.2" : "10.0.0.1"
  checks   = { ssh = { tcp = "10.0.0.1:22", interval = %[2]t ? "20s" : "10s" } }
}

resource "consul_service" "%[1]s-db" {
  provider = hypervisor.%[1]s
  name     = "%[1]s-db"
  node     = consul_node.%[1]s.name
  address  = "10.0.0.1"
  port     = %[2]t ? 2 : 1
  drain    = "100ms"
  checks   = { port = { tcp = "10.0.0.1:1", status = "passing" } }
}

resource "consul_service" "%[1]s-web" {
  provider = hypervisor.%[1]s
  name     = "%[1]s-web"
  port     = %[2]t ? 2 : 1
  drain    = "100ms"
  checks   = { (%[2]t ? "alive" : "page") = { ttl = "1h" } }
}

resource "gateway_upstream" "%[1]s" {
  provider = hypervisor.%[1]s
  name     = "%[1]s"
  services = { (consul_service.%[1]s-db.name) = {}, (consul_service.%[1]s-web.name) = { weight = %[2]t ? 9 : 1 } }
}

resource "gateway_route" "%[1]s" {
  provider = hypervisor.%[1]s
  name     = "%[1]s"
  hosts    = ["%[1]s.test"]
  paths    = %[2]t ? ["/", "/cart"] : ["/"]
  upstream = gateway_upstream.%[1]s.name
}

resource "gateway_plugin" "%[1]s" {
  provider = hypervisor.%[1]s
  name     = "%[1]s"
  type     = "rateLimit"
  route    = gateway_route.%[1]s.name
  config   = { average = %[2]t ? 60 : 50 }
}
`

// walkedOnKong is all that the provider makes in Kong; %[3]q and %[4]q are the files of a certificate, and %[5]q and %[6]q
// those of authorities, which all subjects share.
const walkedOnKong = `
resource "gateway_upstream" "%[1]s" {
  provider = hypervisor.%[1]s
  name     = "%[1]s"
  targets  = { "10.0.0.1:80" = { weight = %[2]t ? 9 : 1 }, (%[2]t ? "10.0.0.3:80" : "10.0.0.2:80") = {} }
  protocol = "https"
  tls      = { ca = file(%[2]t ? %[6]q : %[5]q) }
}

resource "gateway_route" "%[1]s" {
  provider = hypervisor.%[1]s
  name     = "%[1]s"
  hosts    = ["%[1]s.test"]
  paths    = %[2]t ? ["/", "/cart"] : ["/"]
  upstream = gateway_upstream.%[1]s.name
}

resource "gateway_plugin" "%[1]s" {
  provider = hypervisor.%[1]s
  name     = "%[1]s"
  type     = "rate-limiting"
  route    = gateway_route.%[1]s.name
  config   = { minute = %[2]t ? 60 : 50 }
}

resource "gateway_consumer" "%[1]s" {
  provider   = hypervisor.%[1]s
  name       = "%[1]s"
  groups     = %[2]t ? ["gold"] : ["silver"]
  keys       = { laptop = { key_wo = "%[1]s-secret-%[2]t", key_wo_version = %[2]t ? 2 : 1 } }
  depends_on = [gateway_plugin.%[1]s]
}

resource "gateway_certificate" "%[1]s" {
  provider               = hypervisor.%[1]s
  name                   = "%[1]s"
  certificate            = file(%[3]q)
  private_key_wo         = file(%[4]q)
  private_key_wo_version = %[2]t ? 2 : 1
  snis                   = %[2]t ? ["%[1]s.test", "www.%[1]s.test"] : ["%[1]s.test"]
  depends_on             = [gateway_consumer.%[1]s]
}
`
