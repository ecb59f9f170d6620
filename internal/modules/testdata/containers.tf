# A machine of a swarm, and a node of Kubernetes.

module "docker" {
  source = "./modules/container-hosts"

  machines = { docker-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.91/24", memory = "1GiB" } }
  managers = ["docker-1"]

  image   = { volumes = { alpha = "a" } }
  network = { bridge = "br0" }
}

module "kubernetes" {
  source = "./modules/kubernetes-nodes"

  machines      = { node-1 = { placement = { host = "alpha", pins = ["3", "4"] }, address = "10.0.0.94/24", memory = "2GiB" } }
  control_plane = ["node-1"]
  endpoint      = "10.0.0.94:6443"
  kubernetes    = { pause_image = "registry.example.com/pause:3.9" }

  image   = { volumes = { alpha = "a" } }
  network = { bridge = "br0" }
}
