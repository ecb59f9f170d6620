package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// result is what the documentation shows: the latest figures of each benchmark, and what they were taken on.
type result struct {
	Cores     int      `json:"cores"`
	MemoryGiB int      `json:"memory_gib"`
	Figures   []figure `json:"figures"`
}

// readResult reads a result; there may be none yet.
func readResult(path string) (result, error) {
	var r result

	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}

	if err == nil {
		err = json.Unmarshal(text, &r)
	}

	if err != nil {
		return result{}, fmt.Errorf("read the figures: %w", err)
	}

	return r, nil
}

// merge takes over figures, each in the place of the one of its name. Those of another machine are given up.
func (r result) merge(on result) result {
	merged := on
	merged.Figures = nil
	same := r.Cores == on.Cores && r.MemoryGiB == on.MemoryGiB

	for _, old := range r.Figures {
		if _, found := on.find(old.Name); !found && same {
			merged.Figures = append(merged.Figures, old)
		}
	}

	merged.Figures = append(merged.Figures, on.Figures...)
	slices.SortFunc(merged.Figures, func(a, b figure) int { return strings.Compare(a.Name, b.Name) })

	return merged
}

func (r result) find(name string) (figure, bool) {
	at := slices.IndexFunc(r.Figures, func(f figure) bool { return f.Name == name })
	if at < 0 {
		return figure{}, false
	}

	return r.Figures[at], true
}

// machineNow describes the machine.
func machineNow() result { return result{Cores: runtime.NumCPU(), MemoryGiB: memoryGiB()} }

// memoryGiB reads the machine's memory; see proc_meminfo(5).
func memoryGiB() int {
	text, _ := os.ReadFile("/proc/meminfo")
	_, after, _ := strings.Cut(string(text), "MemTotal:")

	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0
	}

	kib, _ := strconv.Atoi(fields[0])

	return (kib + 1<<19) >> 20
}

// loadAverage is that of the last minute; see proc_loadavg(5).
func loadAverage() float64 {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	load, _ := strconv.ParseFloat(first, 64)

	return load
}
