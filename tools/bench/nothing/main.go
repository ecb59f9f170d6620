// Command nothing is a provider with our schemas that does nothing.
package main

import (
	"log"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/baiyi-infra/terraform-provider-hypervisor/tools/bench/idle"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

func main() {
	ours := providerserver.NewProtocol6(provider.New("nothing")())

	serve := func() tfprotov6.ProviderServer { return idle.New(ours()) }
	if err := tf6server.Serve(provider.Address, serve); err != nil {
		log.Fatal(err)
	}
}
