# Registered through the agent: the service's id.
terraform import consul_service.web web-1

# Registered in the catalog: node/id.
terraform import consul_service.database db-1/database
