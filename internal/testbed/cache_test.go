package testbed

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func TestCachedFileIsBuiltOnceByParallelRuns(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var builds atomic.Int32
	build := func(_ context.Context, path string) error {
		builds.Add(1)
		return os.WriteFile(path, []byte("built"), 0o600)
	}
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			path, err := cached(t.Context(), "things", "one", build)
			if err != nil {
				t.Error(err)
				return
			}
			if content, err := os.ReadFile(path); err != nil || string(content) != "built" {
				t.Errorf("the file holds %q, %v", content, err)
			}
		})
	}
	running.Wait()
	if builds.Load() != 1 {
		t.Errorf("the file was built %d times", builds.Load())
	}
}

func TestFailedBuildLeavesNothingInTheCache(t *testing.T) {
	caches := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", caches)
	failure := errors.New("out of paper")
	_, err := cached(t.Context(), "things", "one", func(_ context.Context, path string) error {
		return errors.Join(os.WriteFile(path, []byte("half"), 0o600), failure)
	})
	if !errors.Is(err, failure) {
		t.Errorf("cached returns %v", err)
	}
	files, err := filepath.Glob(filepath.Join(caches, "terraform-provider-hypervisor/things/one*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if filepath.Ext(file) != ".lock" {
			t.Errorf("%s is left", file)
		}
	}
}
