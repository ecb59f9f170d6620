// Command terraform-provider-hypervisor is the Terraform provider; Terraform and OpenTofu start it.
package main

import (
	"context"
	"flag"
	"log"
	"os"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
)

// version is set by the release build.
var version = "dev"

func main() {
	quietLibraries()

	debug := flag.Bool("debug", false, "run under a debugger and print how Terraform attaches")
	flag.Parse()

	options := providerserver.ServeOpts{Address: provider.Address, Debug: *debug}
	if err := providerserver.Serve(context.Background(), provider.New(version), options); err != nil {
		log.Fatal(err)
	}
}

// quietLibraries keeps the plugin libraries from tracing every attribute that they visit unless somebody asked for logs.
// They write the trace for Terraform to throw away, which takes most of the time of a large plan.
func quietLibraries() {
	for _, asked := range []string{"TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_SDK"} {
		if os.Getenv(asked) != "" {
			return
		}
	}

	for _, library := range []string{"TF_LOG_SDK_FRAMEWORK", "TF_LOG_SDK_PROTO"} {
		if os.Getenv(library) == "" {
			_ = os.Setenv(library, "OFF") // it fails for malformed names only
		}
	}
}
