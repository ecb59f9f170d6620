package testbed

import (
	"os"
	"strconv"
	"testing"
)

// strideVariable says how many calls walks go at a time; 1 interrupts each.
const strideVariable = "CRASH_WALK_EVERY"

// Stride is how many calls a walk goes at a time, unless the environment tells it to interrupt more of them.
func Stride(t testing.TB, standard int) int {
	t.Helper()
	text, found := os.LookupEnv(strideVariable)
	if !found {
		return standard
	}
	every, err := strconv.Atoi(text)
	if err != nil || every < 1 {
		t.Fatalf("%s is %q, not a number of 1 or more", strideVariable, text)
	}
	return every
}
