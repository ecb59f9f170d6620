# Two gateways with Traefik.

module "gateway" {
  source  = "./modules/gateway-pair"
  address = "10.0.0.100/24"

  machines = {
    gateway-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.31/24", memory = "1GiB" }
    gateway-2 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.32/24", memory = "1GiB" }
  }

  image   = { volumes = { alpha = "a", beta = "b" } }
  network = { bridge = "br0" }
  consul  = { files = {} }
  routes  = { shop = { service = "web" } }
}
