# The node's name.
terraform import consul_node.database db-1
