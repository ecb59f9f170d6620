# The route's name.
terraform import gateway_route.shop shop
