// Command nothing is a provider with our schemas that does nothing: what Terraform takes with it, it takes with any
// provider. It is what our provider is measured against.
package main

import (
	"log"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

func main() {
	ours := providerserver.NewProtocol6(provider.New("nothing")())

	serve := func() tfprotov6.ProviderServer { return server{ProviderServer: ours()} }
	if err := tf6server.Serve(provider.Address, serve); err != nil {
		log.Fatal(err)
	}
}
