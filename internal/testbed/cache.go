package testbed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// cacheFolder returns a folder for what is worth keeping between runs: ${XDG_CACHE_HOME:-~/.cache}/terraform-provider-hypervisor/NAME.
func cacheFolder(name string) (string, error) {
	caches, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	folder := filepath.Join(caches, "terraform-provider-hypervisor", name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	return folder, nil
}

// cached returns the path of a file in a cache folder. If it is missing, build writes it to the path it is given,
// while parallel runs wait; what build leaves on an error is removed.
func cached(ctx context.Context, folder, name string, build func(ctx context.Context, path string) error) (string, error) {
	folder, err := cacheFolder(folder)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()

	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err // another run has built it meanwhile
	}
	temporary := path + ".new"
	if err := errors.Join(os.RemoveAll(temporary), build(ctx, temporary)); err != nil {
		return "", errors.Join(err, os.RemoveAll(temporary))
	}
	if err := os.Rename(temporary, path); err != nil {
		return "", fmt.Errorf("keep %s: %w", path, err)
	}
	return path, nil
}

// capabilities is the cache of what libvirt found out about QEMU, one file for each emulator. Asking takes about 10 s
// and libvirt checks by itself whether an answer still holds, so hosts hand it on to each other.
type capabilities struct{ folder string }

func openCapabilities(accelerator string) (capabilities, error) {
	folder, err := cacheFolder(filepath.Join("capabilities", accelerator))
	return capabilities{folder: folder}, err
}

// seed copies the cache to a new host.
func (c capabilities) seed(host string) error { return copyChanged(c.folder, host) }

// publish keeps what a host had to find out anew.
func (c capabilities) publish(host string) error { return copyChanged(host, c.folder) }

// copyChanged copies the XML files that differ; each is replaced as a whole, for others read them meanwhile.
func copyChanged(from, to string) error {
	paths, err := filepath.Glob(filepath.Join(from, "*.xml"))
	if err != nil {
		return fmt.Errorf("copy capabilities: %w", err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("copy capabilities: %w", err)
		}
		target := filepath.Join(to, filepath.Base(path))
		if present, err := os.ReadFile(target); err == nil && bytes.Equal(present, content) {
			continue
		}
		if err := replaceFile(target, content); err != nil {
			return fmt.Errorf("copy capabilities: %w", err)
		}
	}
	return nil
}

// replaceFile writes a file so that no reader and no other writer ever sees half of it.
func replaceFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return os.Rename(file.Name(), path)
}

// digest names a recipe by its content.
func digest(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}
