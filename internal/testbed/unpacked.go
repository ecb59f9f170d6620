package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Unpacked returns a folder with the files of Debian packages, without installing them: those of container engines cannot stand
// beside the engines' own. They are fetched once, into the cache folder.
func Unpacked(ctx context.Context, packages ...string) (string, error) {
	if err := needPrograms(map[string]string{"apt-get": "apt", "dpkg-deb": "dpkg"}); err != nil {
		return "", err
	}
	folder, err := cached(ctx, "packages", strings.Join(packages, "-"), func(ctx context.Context, path string) error {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := fetch(ctx, path, packages); err != nil { // the lists that this machine has may be old, or there may be none
			if _, err := run(ctx, "apt-get", "update", "-qq"); err != nil {
				return err
			}
			if err := fetch(ctx, path, packages); err != nil {
				return err
			}
		}
		archives, err := filepath.Glob(filepath.Join(path, "*.deb"))
		if err != nil {
			return err
		}
		for _, archive := range archives {
			_, failure := run(ctx, "dpkg-deb", "--extract", archive, path)
			err = errors.Join(err, failure, os.Remove(archive))
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("unpack the Debian packages %s: %w", strings.Join(packages, ", "), err)
	}
	return folder, nil
}

func fetch(ctx context.Context, folder string, packages []string) error {
	command := exec.CommandContext(ctx, "apt-get", append([]string{"download", "-qq"}, packages...)...)
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get download: %w: %s", err, output)
	}
	return nil
}
