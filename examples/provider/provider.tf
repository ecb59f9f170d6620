terraform {
  required_providers {
    hypervisor = { source = "baiyi-infra/hypervisor" }
  }
}

provider "hypervisor" {
  hosts = {
    alpha = { uri = "qemu+ssh://root@10.0.0.11/system" }
    beta  = { uri = "qemu+ssh://root@10.0.0.12/system", connect_timeout = "5s" }
  }

  # What is left out comes from CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN and their like.
  consul = {
    address    = "https://10.0.0.21:8501"
    ca_file    = "/etc/consul.d/ca.pem"
    token_file = "/run/secrets/consul-token"
  }

  gateway = {
    traefik = { key_prefix = "traefik", entry_points = ["web"] }
    # or: kong = { admin_url = "https://10.0.0.31:8444" }
  }
}
