package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// killPoll is how often KillApply looks whether the moment has come.
const killPoll = 20 * time.Millisecond

// KillApply starts an apply and kills it, with its provider and without a warning, as soon as the moment has come. An
// apply that ends before is an error.
func (c *CLI) KillApply(ctx context.Context, moment func() bool) error {
	command := exec.CommandContext(ctx, c.binary, "apply", "-auto-approve", "-no-color")
	command.Dir, command.Env = c.Folder, c.env
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that the provider dies with it

	var printed lockedBuffer

	command.Stdout, command.Stderr = &printed, &printed

	if err := command.Start(); err != nil {
		return fmt.Errorf("start an apply: %w", err)
	}

	ended := make(chan error, 1)

	go func() { ended <- command.Wait() }()

	ticker := time.NewTicker(killPoll)
	defer ticker.Stop()

	for {
		select {
		case err := <-ended:
			return errors.Join(fmt.Errorf("the apply ended before it could be killed:\n%s", printed.String()), err)
		case <-ticker.C:
		}

		if moment() {
			break
		}
	}

	if err := syscall.Kill(-command.Process.Pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the apply: %w", err)
	}

	if <-ended == nil {
		return errors.New("the apply ended by itself as it was about to be killed")
	}

	return nil
}
