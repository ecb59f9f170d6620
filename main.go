// Command terraform-provider-hypervisor is the Terraform provider; Terraform and OpenTofu start it.
package main

import (
	"flag"
	"log"
	"os"
	"runtime/debug"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

// version is set by the release build.
var version = "dev"

// garbagePercent is how much garbage may gather, by what is in use.
const garbagePercent = 400

func main() {
	quietLibraries()
	spareCollector()

	attach := flag.Bool("debug", false, "run under a debugger and print how Terraform attaches")
	flag.Parse()

	var options []tf6server.ServeOpt
	if *attach {
		options = append(options, tf6server.WithManagedDebug())
	}

	if err := tf6server.Serve(provider.Address, provider.Server(version), options...); err != nil {
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

// spareCollector lets the garbage collector run less often: a plan makes much garbage and keeps little, and the process is
// short-lived. Whoever sets GOGC has the last word.
func spareCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}
