// Command docs generates the reference pages from the provider's schema, templates/ and examples/.
//
// Tfplugindocs expects every type to begin with the provider's name. Ours begin with three words, so the schema is split
// by first word, tfplugindocs runs once for each part, and the pages are gathered in one folder.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "Unable to generate the documentation:", err)
		os.Exit(1)
	}
}

func run() error {
	root := flag.String("root", "../..", "the project's folder")
	out := flag.String("out", "../../docs", "the folder that gets the pages")
	provider := flag.String("provider", "../../bin/terraform-provider-hypervisor", "the provider's binary")
	terraform := flag.String("terraform", "terraform", "the terraform or tofu that asks the provider for its schema")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	whole, err := readSchema(ctx, *provider, *terraform)
	if err != nil {
		return err
	}

	return writePages(ctx, whole, *root, *out)
}
