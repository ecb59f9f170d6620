variable "secrets" {
  description = "Keys, certificates and passwords, from the environment (`TF_VAR_secrets`) or an ephemeral resource. These are for the plan only."
  type = object({
    consul = object({
      gossip_key         = string
      ca_certificate     = string
      server_certificate = string
      server_key         = string
      tokens             = map(string)
    })
    mysql          = object({ replication = string })
    redis_password = string
  })
  ephemeral = true

  default = {
    consul = {
      gossip_key         = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
      ca_certificate     = "-----BEGIN CERTIFICATE-----"
      server_certificate = "-----BEGIN CERTIFICATE-----"
      server_key         = "-----BEGIN PRIVATE KEY-----"
      tokens = {
        management = "00000000-0000-4000-8000-000000000001"
        agent      = "00000000-0000-4000-8000-000000000002"
        services   = "00000000-0000-4000-8000-000000000003"
        gateway    = "00000000-0000-4000-8000-000000000004"
        mysql-pair = "00000000-0000-4000-8000-000000000005"
      }
    }
    mysql          = { replication = "an example" }
    redis_password = "only-for-the-plan"
  }
}
