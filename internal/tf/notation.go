package tf

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	sizePattern = regexp.MustCompile(`^([0-9]+)(B|KiB|MiB|GiB|TiB)$`)
	sizeUnits   = map[string]uint64{"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
)

// ParseSize reads a size such as "4GiB" and returns it in bytes. Units are B, KiB, MiB, GiB and TiB; the number is
// whole.
func ParseSize(text string) (uint64, error) {
	match := sizePattern.FindStringSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("%q is not a size. Write a whole number and one of the units B, KiB, MiB, GiB and TiB, such as \"4GiB\"", text)
	}

	number, err := strconv.ParseUint(match[1], 10, 64)
	if err != nil || number > math.MaxInt64/sizeUnits[match[2]] {
		return 0, fmt.Errorf("the size %q is 8 EiB or more. Write a smaller one", text)
	}

	return number * sizeUnits[match[2]], nil
}

// FormatSize writes bytes with the largest unit that divides them evenly.
func FormatSize(bytes uint64) string {
	for _, unit := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if size := sizeUnits[unit]; bytes >= size && bytes%size == 0 {
			return strconv.FormatUint(bytes/size, 10) + unit
		}
	}

	return strconv.FormatUint(bytes, 10) + "B"
}

func canonicalSize(text string) (string, error) {
	bytes, err := ParseSize(text)

	return strconv.FormatUint(bytes, 10), err
}

func canonicalDuration(text string) (string, error) {
	duration, err := time.ParseDuration(text)
	if err != nil {
		return "", fmt.Errorf("%q is not a duration. Write a number and one of the units ms, s, m and h, such as \"2s\"", text)
	}

	if duration < 0 {
		return "", fmt.Errorf("the duration %q is negative. Write one that is not", text)
	}

	return duration.String(), nil
}

func canonicalCPUSet(text string) (string, error) {
	set, err := topology.ParseCPUSet(text)
	if err != nil {
		return "", fmt.Errorf("%q is not a CPU set: %w. Write CPU numbers and ranges separated by commas, such as \"0-3,8\"", text, errors.Unwrap(err))
	}

	return set.String(), nil
}

// XML makes a value of XMLType.
func XML(value string) Notation { return text(&fragments, value) }

// NullXML is the absent XML.
func NullXML() Notation { return Notation{StringValue: types.StringNull(), notation: &fragments} }

// Size makes a value of SizeType from bytes.
func Size(bytes uint64) Notation { return text(&sizes, FormatSize(bytes)) }

// Duration makes a value of DurationType.
func Duration(duration time.Duration) Notation { return text(&durations, duration.String()) }

// DurationText makes a value of DurationType from its text.
func DurationText(value string) Notation { return text(&durations, value) }

// CPUSet makes a value of CPUSetType.
func CPUSet(set topology.CPUSet) Notation { return text(&cpuSets, set.String()) }

func text(n *notation, value string) Notation {
	return Notation{StringValue: types.StringValue(value), notation: n}
}

// NullSize is the absent size.
func NullSize() Notation { return Notation{StringValue: types.StringNull(), notation: &sizes} }

// NullDuration is the absent duration.
func NullDuration() Notation { return Notation{StringValue: types.StringNull(), notation: &durations} }

// NullCPUSet is the absent CPU set.
func NullCPUSet() Notation { return Notation{StringValue: types.StringNull(), notation: &cpuSets} }

// Bytes returns a size in bytes; 0 if it is null, unknown or malformed (which the type refuses at plan time).
func (v Notation) Bytes() uint64 {
	bytes, _ := ParseSize(v.ValueString())

	return bytes
}

// Duration returns a duration; 0 if it is null, unknown or malformed.
func (v Notation) Duration() time.Duration {
	duration, _ := time.ParseDuration(v.ValueString())

	return duration
}

// CPUs returns a CPU set; empty if it is null, unknown or malformed.
func (v Notation) CPUs() topology.CPUSet {
	set, _ := topology.ParseCPUSet(v.ValueString())

	return set
}
