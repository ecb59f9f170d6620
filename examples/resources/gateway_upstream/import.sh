# The upstream's name.
terraform import gateway_upstream.web web
