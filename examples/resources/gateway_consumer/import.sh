# The consumer's name. Credentials that this provider made are found again.
terraform import gateway_consumer.partner partner
