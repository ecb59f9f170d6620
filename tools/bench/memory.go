package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memoryPoll is how often peak looks. The kernel keeps the peak itself, so only the provider's last moments can be missed.
const memoryPoll = 20 * time.Millisecond

// peak runs a command of Terraform and returns the most memory that any process of its provider had, in bytes.
func (w workspace) peak(ctx context.Context, arguments ...string) (uint64, error) {
	ended := make(chan error, 1)

	go func() {
		_, _, err := w.run(ctx, arguments...)
		ended <- err
	}()

	ticker := time.NewTicker(memoryPoll)
	defer ticker.Stop()

	most := uint64(0)

	for {
		select {
		case err := <-ended:
			return most, err
		case <-ticker.C:
			most = max(most, highest(filepath.Join(w.folder, "provider", binaryName)))
		}
	}
}

// highest returns the peak resident set of the processes that run the program, in bytes; see proc_pid_status(5).
func highest(program string) uint64 {
	most := uint64(0)

	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != program {
			continue
		}

		status, _ := os.ReadFile(filepath.Join(filepath.Dir(link), "status"))
		_, after, _ := bytes.Cut(status, []byte("VmHWM:"))

		if fields := strings.Fields(string(after)); len(fields) > 1 {
			kib, _ := strconv.ParseUint(fields[0], 10, 64)
			most = max(most, kib<<10)
		}
	}

	return most
}
