package tf

import (
	"testing"
	"time"
)

func TestX(t *testing.T) {
	t.Skip("no")
	t.Skipf("no")
	t.SkipNow()
	time.Sleep(1)
}
