// Command demo shows the main job on this machine: two libvirt hosts, Consul and a gateway, and examples/quickstart
// applied to them. `make demo` and `make demo-down` run it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

// bedName is the name under which the demo's bed outlives the command.
const bedName = "demo"

const usage = `usage: demo up      bring the demo up and show it
       demo down    take it away
       demo tools   build the servers that are not in PATH
`

func main() {
	commands := map[string]func(context.Context) error{"up": up, "down": down, "tools": tools}

	if len(os.Args) != 2 || commands[os.Args[1]] == nil {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := commands[os.Args[1]](ctx)

	stop()

	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// down takes the demo away. There may be none.
func down(context.Context) error {
	bed, err := testbed.Attach(bedName)
	if errors.Is(err, testbed.ErrNoBed) {
		fmt.Println("No demo is up.")

		return nil
	}

	if err != nil {
		return err
	}

	if err := bed.Close(); err != nil { //nolint:contextcheck // what is up is taken away even if the command is interrupted
		return err
	}

	fmt.Println("The demo is gone: its hosts, machines, servers and files.")

	return nil
}

// tools builds the servers that are not in PATH, which takes minutes once.
func tools(ctx context.Context) error {
	for _, name := range []string{"consul", "traefik", "tofu", "terraform-1.14"} {
		path, err := testbed.Tool(ctx, name)
		if err != nil {
			return err
		}

		fmt.Printf("%s: %s\n", name, path)
	}

	return nil
}
