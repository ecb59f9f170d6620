# The plugin's name: Kong's instance_name, or the middleware's in Traefik.
terraform import gateway_plugin.limit limit
