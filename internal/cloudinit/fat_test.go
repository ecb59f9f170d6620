package cloudinit

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBlkidSeesACidataVolume(t *testing.T) {
	path := save(t, render(t, shopSeed()))
	got := run(t, "util-linux", "blkid", "--probe", "--output", "export", path)

	for _, want := range []string{"LABEL=cidata", "TYPE=vfat"} {
		if !slices.Contains(strings.Split(got, "\n"), want) {
			t.Errorf("blkid does not say %s, but:\n%s", want, got)
		}
	}
}

func TestSmallSeedIsOneGranule(t *testing.T) {
	if got, want := len(render(t, shopSeed())), granularity*sectorSize; got != want {
		t.Errorf("the image has %d bytes, want %d", got, want)
	}
}

// Sizes on both sides of every border: none, one cluster, a change of the cluster size, the limit.
func TestSeedsOfEverySizeAreSoundAndComplete(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})

	sizes := []int{0, 1, sectorSize, sectorSize + 1, 52 << 10, 64 << 10, MaxFileSize - 1, MaxFileSize}
	for clusterSize := sectorSize; clusterSize*maxClusters < MaxFileSize; clusterSize *= 2 {
		sizes = append(sizes, (maxClusters-granularity)*clusterSize, (maxClusters-2)*clusterSize, maxClusters*clusterSize)
	}

	for _, size := range sizes {
		userData := make([]byte, size)
		_, _ = random.Read(userData)

		image := render(t, Seed{InstanceID: "i-1", UserData: string(userData)})
		if len(image)%(64<<10) != 0 {
			t.Errorf("%d bytes: the image has %d bytes, not a multiple of 64 KiB", size, len(image))
		}

		if overhead := len(image) - size; overhead > size/8+(128<<10) {
			t.Errorf("%d bytes: the image is larger than it need be, by %d bytes", size, overhead)
		}

		if files := readFiles(t, image); !bytes.Equal(files["user-data"], userData) {
			t.Errorf("%d bytes: mcopy reads other bytes than were given", size)
		}
	}
}

// readFiles checks the image's file system with fsck and reads all of its files with mtools.
func readFiles(t *testing.T, image []byte) map[string][]byte {
	t.Helper()

	path := save(t, image)
	run(t, "dosfstools", "fsck.vfat", "-n", path)

	folder := t.TempDir()
	run(t, "mtools", "mcopy", "-n", "-i", path, "::*", folder)

	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}

	files := map[string][]byte{}

	for _, entry := range entries {
		if files[entry.Name()], err = os.ReadFile(filepath.Join(folder, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}

	return files
}

func save(t *testing.T, image []byte) string {
	t.Helper()

	path := filepath.Join(t.TempDir(), "seed.img")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}

	return path
}

// run runs a tool of a Debian package; folders of system tools are not in everyone's PATH.
func run(t *testing.T, debianPackage, tool string, args ...string) string {
	t.Helper()

	path, err := exec.LookPath(tool)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + tool)
	}

	if err != nil {
		t.Fatalf("this test needs the tool %s of the Debian package %s: install the package", tool, debianPackage)
	}

	output, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, output)
	}

	return string(output)
}
