# The table and the picture of the module's README: the platform from ten million to a hundred billion yuan a year.

terraform {
  required_version = ">= 1.10"
}

locals {
  gmv = flatten([for exponent in range(7, 11) : [for step in [1, 2, 5] : step * pow(10, exponent)]])
}

module "sizing" {
  source   = "../.."
  for_each = { for value in concat(local.gmv, [1e11]) : format("%015.0f", value) => value }

  annual_gmv = each.value
}

output "table" {
  description = "Machines and load by yearly GMV, as Markdown."
  value       = templatefile("${path.module}/table.md.tftpl", { sizes = module.sizing, words = local.words })
}

output "plot" {
  description = "The same as an SVG picture."
  value       = templatefile("${path.module}/plot.svg.tftpl", { sizes = module.sizing, words = local.words })
}

locals {
  # 15 digits in words: "10 million", "1 billion".
  words = {
    for key in keys(module.sizing) : key => tonumber(key) >= 1e9 ? "${tonumber(key) / 1e9} billion" : "${tonumber(key) / 1e6} million"
  }
}
