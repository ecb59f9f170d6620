# A pair with a database and an account.

variable "passwords" {
  type      = object({ replication = string, users = map(string) })
  ephemeral = true
}

variable "certificates" {
  type      = object({ ca = string, servers = map(object({ certificate = string, key = string })) })
  ephemeral = true
}

variable "members" { type = map(string) }

module "mysql" {
  source = "./modules/mysql-pair"

  machines = {
    for name, address in var.members : name => {
      placement = { host = name == "mysql-1" ? "alpha" : "beta", pins = ["1"] }
      address   = "${address}/8" # on the loopback a connection comes from 127.0.0.1
      memory    = "128MiB"
    }
  }

  image        = { kind = "archive", volumes = { alpha = "a", beta = "b" } }
  network      = { bridge = "br0" }
  consul       = { files = {} }
  consul_token = "not looked at"

  databases = ["shop", "other"]
  users     = { shop = { database = "shop", from = "127.%" } }
  passwords = var.passwords
  settings  = { innodb_log_file_size = "8M" }

  tls          = true
  certificates = var.certificates
}
