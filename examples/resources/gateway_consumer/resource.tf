variable "secret" {
  type      = string
  ephemeral = true
}

# Needs a Kong gateway. Secrets are in no plan and no state; raise a version to write a new one.
resource "gateway_consumer" "partner" {
  provider = hypervisor

  name   = "partner"
  groups = ["partners"]

  keys = {
    warehouse = { key_wo = var.secret, key_wo_version = 1 }
  }

  basic_auth = {
    partner = { password_wo = var.secret, password_wo_version = 1 }
  }
}

resource "gateway_plugin" "key" {
  provider = hypervisor

  name   = "key"
  type   = "key-auth"
  config = { key_names = ["x-api-key"], hide_credentials = true }
}

# Of all who prove who they are, only partners.
resource "gateway_plugin" "partners" {
  provider = hypervisor

  name   = "partners"
  type   = "acl"
  config = { allow = gateway_consumer.partner.groups }
}
