package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// planning measures the plan of a whole platform on hosts that are only written down: modules/hundred-billion-gmv/examples/full.
type planning struct {
	*stage

	terraform string
	platform  *cli.CLI
}

func setUpPlatform(ctx context.Context, on *stage) (round, error) {
	p := &planning{stage: on}

	bed, err := on.bed(ctx) // its folder is removed whatever happens
	if err != nil {
		return nil, err
	}

	if p.terraform, err = findTerraform(ctx); err != nil {
		return nil, err
	}

	provider, err := cli.BuildProvider(ctx, bed.Folder())
	if err != nil {
		return nil, err
	}

	root, err := cli.Root(ctx)
	if err != nil {
		return nil, err
	}

	p.platform, err = cli.NewBelow(ctx, p.terraform, provider, filepath.Join(root, "modules"), "hundred-billion-gmv/examples/full", filepath.Join(bed.Folder(), "platform"))

	return p.round, err
}

// round plans once. The memory is that of the process which had the most of it, Terraform or its provider.
func (p *planning) round(ctx context.Context, number int) error {
	command := p.platform.Command(ctx, p.terraform, "plan", "-no-color", "-refresh=false")
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // so that it ends its provider, too
	began := time.Now()

	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("plan the platform: %w\n%s", err, output)
	}

	if number == 0 {
		p.record("plan_platform_machines", float64(bytes.Count(output, []byte("resource \"hypervisor_vm\""))), amount)
	}

	p.record("plan_platform_seconds", time.Since(began).Seconds(), seconds)
	p.record("plan_platform_cpu_seconds", (command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds(), seconds)

	if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
		p.record("plan_platform_memory_mib", float64(usage.Maxrss)/1024, mebibytes)
	}

	return nil
}
