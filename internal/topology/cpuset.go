// Package topology knows processors: sets of CPUs as Linux and libvirt write them, and the NUMA nodes, cores and
// threads of a host as libvirt reports them. It is pure.
package topology

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxCPU is the highest CPU number that a set may name. Linux on x86 goes up to 8192 CPUs (CONFIG_NR_CPUS).
const MaxCPU = 8191

// CPUSet is a set of host CPUs by number. The zero value is the empty set. Sets are immutable.
type CPUSet struct {
	cpus []int // sorted, no duplicates
}

// NewCPUSet makes a set of the given CPU numbers, in any order and with duplicates allowed.
func NewCPUSet(cpus ...int) CPUSet {
	sorted := slices.Clone(cpus)
	slices.Sort(sorted)

	return CPUSet{cpus: slices.Compact(sorted)}
}

var errNoCPU = errors.New("it names no CPU")

// ParseCPUSet reads a set in the list format of Linux and libvirt: numbers and ranges separated by commas, such as
// "0-3,8". Libvirt's exclusion ("0-7,^3") is understood. The empty string is an error: a set that pins nothing is a
// mistake.
func ParseCPUSet(text string) (CPUSet, error) {
	if strings.TrimSpace(text) == "" {
		return CPUSet{}, fmt.Errorf("parse CPU set %q: %w", text, errNoCPU)
	}

	included := map[int]bool{}

	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		body, excluded := strings.CutPrefix(part, "^")

		first, last, err := parseRange(body)
		if err != nil {
			return CPUSet{}, fmt.Errorf("parse CPU set %q: %w", text, err)
		}

		for cpu := first; cpu <= last; cpu++ {
			if excluded {
				delete(included, cpu)
			} else {
				included[cpu] = true
			}
		}
	}

	if len(included) == 0 {
		return CPUSet{}, fmt.Errorf("parse CPU set %q: %w", text, errNoCPU)
	}

	cpus := make([]int, 0, len(included))
	for cpu := range included {
		cpus = append(cpus, cpu)
	}

	return NewCPUSet(cpus...), nil
}

func parseRange(text string) (first, last int, err error) {
	low, high, ranged := strings.Cut(text, "-")

	first, err = parseCPU(low)
	if err != nil {
		return 0, 0, err
	}

	if !ranged {
		return first, first, nil
	}

	last, err = parseCPU(high)
	if err != nil {
		return 0, 0, err
	}

	if last < first {
		return 0, 0, fmt.Errorf("range %q runs backwards", text)
	}

	return first, last, nil
}

func parseCPU(text string) (int, error) {
	text = strings.TrimSpace(text)

	cpu, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a CPU number", text)
	}

	if cpu > MaxCPU {
		return 0, fmt.Errorf("CPU %d is above the highest possible, %d", cpu, MaxCPU)
	}

	return int(cpu), nil
}

// CPUs returns the CPU numbers in ascending order.
func (s CPUSet) CPUs() []int { return slices.Clone(s.cpus) }

// Len returns how many CPUs the set has.
func (s CPUSet) Len() int { return len(s.cpus) }

// IsEmpty reports whether the set has no CPU.
func (s CPUSet) IsEmpty() bool { return len(s.cpus) == 0 }

// Contains reports whether the CPU is in the set.
func (s CPUSet) Contains(cpu int) bool {
	_, found := slices.BinarySearch(s.cpus, cpu)

	return found
}

// Equal reports whether both sets have the same CPUs.
func (s CPUSet) Equal(other CPUSet) bool { return slices.Equal(s.cpus, other.cpus) }

// Union returns the CPUs that are in either set.
func (s CPUSet) Union(other CPUSet) CPUSet {
	return NewCPUSet(append(slices.Clone(s.cpus), other.cpus...)...)
}

// Intersect returns the CPUs that are in both sets.
func (s CPUSet) Intersect(other CPUSet) CPUSet { return s.filter(other.Contains) }

// Minus returns the CPUs of s that are not in other.
func (s CPUSet) Minus(other CPUSet) CPUSet {
	return s.filter(func(cpu int) bool { return !other.Contains(cpu) })
}

func (s CPUSet) filter(keep func(int) bool) CPUSet {
	var cpus []int

	for _, cpu := range s.cpus {
		if keep(cpu) {
			cpus = append(cpus, cpu)
		}
	}

	return CPUSet{cpus: cpus}
}

// String writes the set in its canonical list format, such as "0-3,8". The empty set is the empty string.
func (s CPUSet) String() string {
	var text strings.Builder

	for i := 0; i < len(s.cpus); {
		end := i
		for end+1 < len(s.cpus) && s.cpus[end+1] == s.cpus[end]+1 {
			end++
		}

		if text.Len() > 0 {
			text.WriteByte(',')
		}

		text.WriteString(strconv.Itoa(s.cpus[i]))

		if end > i {
			text.WriteByte('-')
			text.WriteString(strconv.Itoa(s.cpus[end]))
		}

		i = end + 1
	}

	return text.String()
}
