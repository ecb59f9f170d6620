# Stands for the module machines in tests. A provisioner may be given ephemeral values.

resource "terraform_data" "machine" {
  for_each = var.machines

  provisioner "local-exec" {
    command = "umask 077; mkdir -p guests; printf %s \"$TOLD\" >\"guests/$NAME.json\""

    environment = {
      NAME = each.key
      TOLD = jsonencode([for part in [lookup(var.user_data, each.key, ""), lookup(var.secrets, each.key, "")] : part if part != ""])
    }
  }
}

output "machines" {
  value = {
    for name, machine in var.machines : name => { host = machine.placement.host, address = split("/", machine.address)[0], id = name }
  }
}
