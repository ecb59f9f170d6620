# The files of an agent that hold secrets. A module of its own, since only a module that is called by another one may have
# ephemeral outputs.

terraform {
  required_version = ">= 1.11"
}

variable "secrets" {
  description = "The same as the servers get. The servers' key and the tokens of others stay where they are."
  type = object({
    gossip_key     = string
    ca_certificate = string
    tokens         = map(string)
  })
  ephemeral = true
  nullable  = false
}

output "files" {
  description = "For the input `consul_secrets` of the tiers: content by path. They belong to `root:consul`, and nobody else reads them."
  ephemeral   = true

  # Terraform wants the whole to be ephemeral, not only its parts.
  value = jsondecode(jsonencode({
    "/etc/consul.d/secrets.json" = jsonencode({
      encrypt = var.secrets.gossip_key
      acl = {
        tokens = {
          agent                            = var.secrets.tokens["agent"]
          config_file_service_registration = var.secrets.tokens["services"]
        }
      }
    })
    "/etc/consul.d/tls/ca.pem" = var.secrets.ca_certificate
  }))
}
