//go:build cgo

package libvirt

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// poolSpecs are one of each type, and those in which all is said.
func poolSpecs() map[string]PoolSpec {
	return map[string]PoolSpec{
		"dir":             {Name: "machines", Type: DirPool, Path: "/srv/machines"},
		"netfs":           {Name: "shared", Type: NetFSPool, Path: "/srv/shared", Host: "10.0.0.2", Dir: "/export"},
		"netfs-format":    {Name: "shared", Type: NetFSPool, Path: "/srv/shared", Host: "nas.example", Dir: "/export", Format: "nfs"},
		"logical":         {Name: "fast", Type: LogicalPool, Path: "/dev/vg0", Group: "vg0"},
		"logical-devices": {Name: "fast", Type: LogicalPool, Path: "/dev/vg0", Group: "vg0", Devices: []string{"/dev/sda1", "/dev/sdb1"}},
	}
}

// TestPoolsAreDefinedAsTheGoldenFilesAndReadBack has libvirt check each against its schema, define it, and tell it again.
func TestPoolsAreDefinedAsTheGoldenFilesAndReadBack(t *testing.T) {
	bed, host := alpha(t)

	for name, spec := range poolSpecs() {
		text, err := spec.render()
		must(t, err)

		file := filepath.Join("testdata", "pools", name+".xml")
		if *update {
			must(t, os.WriteFile(file, []byte(text+"\n"), 0o600))
		}

		want, err := os.ReadFile(file)
		must(t, err)

		if diff := cmp.Diff(string(want), text+"\n"); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}

		virsh(t, bed, "pool-define", "--validate", file)
		must(t, host.RemovePool(t.Context(), spec.Name))

		must(t, host.DefinePool(t.Context(), spec))
		got, err := host.Pool(t.Context(), spec.Name)
		must(t, err)
		must(t, host.RemovePool(t.Context(), spec.Name))

		if diff := cmp.Diff(Pool{PoolSpec: spec, Persistent: true}, got); diff != "" || !got.Same(spec) {
			t.Errorf("%s reads otherwise than it was defined (-want +got):\n%s", name, diff)
		}
	}
}

func TestPoolsThatDifferAreNotTheSame(t *testing.T) {
	specs := poolSpecs()

	for a := range specs {
		for b := range specs {
			if same := specs[a].Same(specs[b]); same != (a == b) {
				t.Errorf("%s and %s: same = %t", a, b, same)
			}
		}
	}
}

func TestPoolsOfOthersAreRead(t *testing.T) {
	got, err := parsePool(poolXML{name: "iscsi", xml: `<pool type='iscsi'><name>iscsi</name><source><host name='san'/><device path='iqn.2026-01.example:a'/></source><target><path>/dev/disk/by-path</path></target></pool>`})
	if diff := cmp.Diff(Pool{PoolSpec: PoolSpec{Name: "iscsi", Type: "iscsi", Host: "san", Path: "/dev/disk/by-path", Devices: []string{"iqn.2026-01.example:a"}}}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}

	if _, err := parsePool(poolXML{name: "broken", xml: "<pool"}); err == nil || !strings.Contains(err.Error(), `parse pool "broken"`) {
		t.Errorf("a broken definition: %v", err)
	}
}

// busy is a connection to a host with a pool that somebody fills for a while.
type busy struct {
	quiet

	mu        sync.Mutex
	refreshes int
}

func (b *busy) refreshPool(string) error {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.refreshes++
	if b.refreshes < 4 {
		return errBusy
	}

	return nil
}

func TestPoolIsRefreshedWhenNobodyFillsAVolumeInIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &busy{}
		if err := over(newCounter(conn)).RefreshPool(t.Context(), "default"); err != nil || conn.refreshes != 4 {
			t.Errorf("The pool was refreshed %d times, and the last said %v", conn.refreshes, err)
		}

		conn = &busy{refreshes: -1000}

		limited, cancel := context.WithTimeout(t.Context(), time.Minute+100*time.Millisecond) // between two looks
		defer cancel()

		if err := over(newCounter(conn)).RefreshPool(limited, "default"); !errors.Is(err, errBusy) {
			t.Errorf("A pool that is never free: %v", err)
		}
	})
}
