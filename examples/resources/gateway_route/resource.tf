resource "gateway_upstream" "web" {
  provider = hypervisor

  name     = "web"
  services = { web = {} }
}

# The shop, and what is left of it under the old address.
resource "gateway_route" "shop" {
  provider = hypervisor

  name     = "shop"
  hosts    = ["shop.example.com"]
  paths    = ["/"]
  upstream = gateway_upstream.web.name
}

resource "gateway_route" "old" {
  provider = hypervisor

  name     = "old"
  hosts    = ["www.example.com"]
  paths    = ["/shop", "/cart"]
  upstream = gateway_upstream.web.name
}
