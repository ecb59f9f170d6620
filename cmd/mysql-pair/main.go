// Command mysql-pair keeps two MariaDB servers a pair: one takes writes, the other has every write that a client was told
// of and takes over when the first is lost. It runs beside each of the two servers and agrees with its like through Consul.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "Unable to "+err.Error())
		os.Exit(1) //nolint:gocritic // exitAfterDefer: nothing is left to stop
	}
}
