# From a file, a secret store's ephemeral resource or the environment: it is in no plan and no state.
variable "secret" {
  type      = string
  ephemeral = true
}

# Needs a Kong gateway.
resource "gateway_certificate" "shop" {
  provider = hypervisor

  name                   = "shop"
  certificate            = file("shop.example.com.pem")
  private_key_wo         = var.secret
  private_key_wo_version = 1
  snis                   = ["shop.example.com", "*.shop.example.com"]
}
