// Package consul stands in for the remote-state backend of this name: its libraries are many, and no test has a use for it.
package consul

import "github.com/hashicorp/terraform/internal/backend"

// New is what Terraform's list of backends asks for.
func New() backend.Backend { return nil }
