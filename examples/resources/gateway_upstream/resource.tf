# Whatever Consul says is healthy. Nine of ten requests go to web, one to its next version.
resource "gateway_upstream" "web" {
  provider = hypervisor

  name = "web"
  services = {
    web      = { weight = 90 }
    web-next = { weight = 10 }
  }
}

# Fixed addresses, where there is no Consul service.
resource "gateway_upstream" "legacy" {
  provider = hypervisor

  name    = "legacy"
  retries = 0
  targets = {
    "10.0.0.201:8080" = {}
    "10.0.0.202:8080" = { weight = 50 }
  }
}
