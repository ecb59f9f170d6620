# Two servers and a witness.

module "redis" {
  source = "./modules/redis-pair"

  machines = {
    redis-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.81/24", memory = "1GiB" }
    redis-2 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.82/24", memory = "1GiB" }
    redis-3 = { placement = { host = "gamma", pins = ["2"] }, address = "10.0.0.83/24", memory = "1GiB" }
  }
  witness  = "redis-3"
  password = "only-for-the-tests"

  image   = { volumes = { alpha = "a", beta = "b", gamma = "c" } }
  network = { bridge = "br0" }
  consul  = { files = {} }
}
