package tf

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

func TestParseSizeReadsBytes(t *testing.T) {
	for text, want := range map[string]uint64{
		"0B":                   0,
		"512B":                 512,
		"1KiB":                 1 << 10,
		"4096MiB":              4 << 30,
		"4GiB":                 4 << 30,
		"004GiB":               4 << 30,
		"2TiB":                 2 << 40,
		"8388607TiB":           8388607 << 40,
		"9223372036854775807B": math.MaxInt64,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseSizeSaysWhatToWrite(t *testing.T) {
	for _, text := range []string{"", "4", "GiB", "4GB", "4G", "4 GiB", "4gib", "-4GiB", "+4GiB", "4.5GiB", "4GiB ", "0x4GiB", "4GiB\n"} {
		wantError(t, text, canonicalSize, strconv.Quote(text)+` is not a size. Write a whole number and one of the units B, KiB, MiB, GiB and TiB, such as "4GiB"`)
	}

	for _, text := range []string{"8388608TiB", "9223372036854775808B", "18446744073709551616B", "17179869184GiB"} {
		wantError(t, text, canonicalSize, "the size "+strconv.Quote(text)+" is 8 EiB or more. Write a smaller one")
	}
}

func TestFormatSizeTakesTheLargestUnitThatDivides(t *testing.T) {
	for bytes, want := range map[uint64]string{
		0: "0B", 1: "1B", 1023: "1023B", 1024: "1KiB", 1025: "1025B", 4 << 30: "4GiB", 1536 << 20: "1536MiB", 1 << 40: "1TiB", 1025 << 30: "1025GiB",
	} {
		if got := FormatSize(bytes); got != want {
			t.Errorf("FormatSize(%d) = %q, want %q", bytes, got, want)
		}
	}
}

func TestFormattedSizeParsesBackToItself(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))

	for range 2000 {
		// Shifts make sizes of every unit as likely as odd ones.
		bytes := random.Uint64N(math.MaxInt64) >> random.UintN(63) << random.UintN(50) & math.MaxInt64

		if got, err := ParseSize(FormatSize(bytes)); err != nil || got != bytes {
			t.Fatalf("ParseSize(FormatSize(%d)) = %d, %v", bytes, got, err)
		}
	}
}

func TestDurationsAreCheckedAtPlanTime(t *testing.T) {
	for text, want := range map[string]string{"2s": "2s", "120s": "2m0s", "1h30m": "1h30m0s", "1.5s": "1.5s", "0": "0s", "250ms": "250ms"} {
		if got, err := canonicalDuration(text); err != nil || got != want {
			t.Errorf("canonicalDuration(%q) = %q, %v; want %q", text, got, err, want)
		}
	}

	for _, text := range []string{"", "2", "2 s", "2d", "s", "two seconds"} {
		wantError(t, text, canonicalDuration, strconv.Quote(text)+` is not a duration. Write a number and one of the units ms, s, m and h, such as "2s"`)
	}

	wantError(t, "-2s", canonicalDuration, `the duration "-2s" is negative. Write one that is not`)
}

func TestCPUSetsAreCheckedAtPlanTime(t *testing.T) {
	if got, err := canonicalCPUSet("8,0,1,2,3"); err != nil || got != "0-3,8" {
		t.Errorf("canonicalCPUSet = %q, %v", got, err)
	}

	const remedy = `. Write CPU numbers and ranges separated by commas, such as "0-3,8"`

	wantError(t, "", canonicalCPUSet, `"" is not a CPU set: it names no CPU`+remedy)
	wantError(t, "0-3;8", canonicalCPUSet, `"0-3;8" is not a CPU set: "3;8" is not a CPU number`+remedy)
	wantError(t, "5-2", canonicalCPUSet, `"5-2" is not a CPU set: range "5-2" runs backwards`+remedy)
	wantError(t, "9999", canonicalCPUSet, `"9999" is not a CPU set: CPU 9999 is above the highest possible, 8191`+remedy)
}

func TestValuesComeBackOutOfTheirNotation(t *testing.T) {
	if got := Size(3 << 30); got.ValueString() != "3GiB" || got.Bytes() != 3<<30 {
		t.Errorf("Size: %q, %d bytes", got.ValueString(), got.Bytes())
	}

	if got := Duration(90 * time.Second); got.ValueString() != "1m30s" || got.Duration() != 90*time.Second {
		t.Errorf("Duration: %q, %s", got.ValueString(), got.Duration())
	}

	set := cpus(t, "0-3,8")
	if got := CPUSet(set); got.ValueString() != "0-3,8" || !got.CPUs().Equal(set) {
		t.Errorf("CPUSet: %q, %s", got.ValueString(), got.CPUs())
	}
}

func TestAbsentValuesAreZero(t *testing.T) {
	if got := NullSize(); !got.IsNull() || got.Bytes() != 0 {
		t.Errorf("NullSize: %s, %d bytes", got, got.Bytes())
	}

	if got := NullDuration(); !got.IsNull() || got.Duration() != 0 {
		t.Errorf("NullDuration: %s, %s", got, got.Duration())
	}

	if got := NullCPUSet(); !got.IsNull() || !got.CPUs().IsEmpty() {
		t.Errorf("NullCPUSet: %s, %s", got, got.CPUs())
	}
}
