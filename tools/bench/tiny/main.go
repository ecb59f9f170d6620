// Command tiny is a provider that does nothing and whose schema has two attributes.
package main

import (
	"log"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/baiyi-infra/terraform-provider-hypervisor/tools/bench/idle"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

func main() {
	if err := tf6server.Serve(provider.Address, idle.Tiny); err != nil {
		log.Fatal(err)
	}
}
