package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Thread is one thread of a machine's QEMU.
type Thread struct {
	ID   int
	Name string // "CPU 0/KVM" or "CPU 0/TCG" for a vCPU
	CPUs string // the CPUs it may run on, as a list such as "0-3,8"
}

// PID returns the process of a running machine's QEMU.
func (h *Host) PID(domain string) (int, error) {
	pid, err := h.readPID(h.path(filepath.Join("run/libvirt/qemu", domain+".pid")))
	if err != nil {
		return 0, fmt.Errorf("find the process of machine %q on %s: %w", domain, h.record.Name, err)
	}
	return pid, nil
}

// Threads returns the threads of a running machine's QEMU, the main thread first, with the CPUs that the kernel holds
// each to. On made-up hardware it is the CPUs that were asked for, which the kernel cannot know; a thread for which
// nobody asked has those of the main thread, from which it inherited them.
func (h *Host) Threads(domain string) ([]Thread, error) {
	pid, err := h.PID(domain)
	if err != nil {
		return nil, err
	}
	tasks := filepath.Join("/proc", strconv.Itoa(pid), "task")
	entries, err := os.ReadDir(tasks)
	if err != nil {
		return nil, fmt.Errorf("list the threads of machine %q on %s: %w", domain, h.record.Name, err)
	}
	var threads []Thread
	for _, entry := range entries {
		thread, err := readThread(filepath.Join(tasks, entry.Name()))
		if err != nil {
			continue // QEMU's worker threads come and go
		}
		if h.record.Topology != nil {
			if thread.CPUs, err = h.asked(thread.ID, pid); err != nil {
				return nil, fmt.Errorf("list the threads of machine %q on %s: %w", domain, h.record.Name, err)
			}
		}
		threads = append(threads, thread)
	}
	return threads, nil
}

func readThread(folder string) (Thread, error) {
	id, err := strconv.Atoi(filepath.Base(folder))
	if err != nil {
		return Thread{}, err
	}
	status, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil {
		return Thread{}, err
	}
	thread := Thread{ID: id}
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "Name":
			thread.Name = strings.TrimSpace(value)
		case "Cpus_allowed_list":
			thread.CPUs = strings.TrimSpace(value)
		}
	}
	return thread, nil
}

// asked reads what shim.c wrote down for a thread, or else for the main thread.
func (h *Host) asked(thread, main int) (string, error) {
	var err error
	for _, id := range []int{thread, main} {
		var who process
		if who, err = identify(id); err != nil {
			continue
		}
		var content []byte
		content, err = os.ReadFile(h.path(fmt.Sprintf("run/affinity/%d-%d", who.PID, who.Start)))
		if err == nil {
			return strings.TrimSpace(string(content)), nil
		}
	}
	return "", err
}
