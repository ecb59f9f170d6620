//go:build cgo

package libvirt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/wire"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"libvirt.org/go/libvirt"
)

const imagesFolder = "/var/lib/libvirt/images" // as the host sees it

// anyAllocation leaves out what the file system decides.
var anyAllocation = cmpopts.IgnoreFields(Volume{}, "Allocation", "Length")

func TestVolumeComesAndGoes(t *testing.T) {
	bed, host := alpha(t)
	ctx := t.Context()

	missing(t, host)
	must(t, host.CreateVolume(ctx, VolumeSpec{Pool: "default", Name: "disk", Format: "qcow2", Capacity: 8 << 20}))

	want := Volume{Pool: "default", Name: "disk", Path: imagesFolder + "/disk", Format: "qcow2", Capacity: 8 << 20}
	if diff := cmp.Diff(want, volume(t, host, "disk"), anyAllocation); diff != "" {
		t.Errorf("the new volume (-want +got):\n%s", diff)
	}

	at, err := host.VolumeAt(ctx, want.Path)
	must(t, err)

	if diff := cmp.Diff(want, at, anyAllocation); diff != "" {
		t.Errorf("the volume at its path (-want +got):\n%s", diff)
	}

	if info := onDisk(t, bed.Folder(), "disk"); info.Size() > 1<<20 {
		t.Errorf("an empty volume of 8 MiB takes %d bytes", info.Size())
	}

	err = host.CreateVolume(ctx, VolumeSpec{Pool: "default", Name: "disk", Format: "raw", Capacity: 1})
	if err == nil || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), `create volume "disk" in pool "default" on host "alpha": `) {
		t.Errorf("a second volume of the name: %v", err)
	}

	must(t, host.ResizeVolume(ctx, "default", "disk", 16<<20))

	if got := volume(t, host, "disk").Capacity; got != 16<<20 {
		t.Errorf("the grown volume has %d bytes", got)
	}

	if err := host.ResizeVolume(ctx, "default", "disk", 8<<20); err == nil {
		t.Error("a volume shrank")
	}

	must(t, host.DeleteVolume(ctx, "default", "disk"))
	must(t, host.DeleteVolume(ctx, "default", "disk"))
	missing(t, host)

	if _, err := host.VolumeAt(ctx, want.Path); !errors.Is(err, ErrNotFound) {
		t.Errorf("a volume at the path of one that is gone: %v", err)
	}

	for what, err := range map[string]error{
		"resize":   host.ResizeVolume(ctx, "default", "disk", 16<<20),
		"upload":   host.Upload(ctx, "default", "disk", strings.NewReader("x"), 1),
		"download": host.Download(ctx, "default", "disk", io.Discard),
		"create":   host.CreateVolume(ctx, VolumeSpec{Pool: "nowhere", Name: "disk", Format: "raw", Capacity: 1}),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s what is not there: %v, want ErrNotFound", what, err)
		}
	}
}

func TestUploadArrivesByteForByte(t *testing.T) {
	_, host := alpha(t)
	content := make([]byte, 5<<20+4321) // neither whole sectors nor whole chunks

	stream := rand.NewChaCha8([32]byte{1})
	_, _ = stream.Read(content) // never fails, by its documentation
	clear(content[1<<20 : 2<<20])

	must(t, host.CreateVolume(t.Context(), VolumeSpec{Pool: "default", Name: "disk", Format: "raw", Capacity: uint64(len(content))}))
	must(t, host.Upload(t.Context(), "default", "disk", bytes.NewReader(content), int64(len(content))))

	if got := volume(t, host, "disk"); got.Capacity != uint64(len(content)) || got.Format != "raw" {
		t.Errorf("the volume is %+v, want %d bytes of raw", got, len(content))
	}

	hash := sha256.New()
	must(t, host.Download(t.Context(), "default", "disk", hash))

	if want := sha256.Sum256(content); !bytes.Equal(want[:], hash.Sum(nil)) {
		t.Errorf("what comes back has the hash %x, want %x", hash.Sum(nil), want)
	}
}

func TestFailureOfASourceOrATargetSurfaces(t *testing.T) {
	_, host := alpha(t)
	must(t, host.CreateVolume(t.Context(), VolumeSpec{Pool: "default", Name: "disk", Format: "raw", Capacity: 4 << 20}))

	broken := errors.New("the cable is cut")

	err := host.Upload(t.Context(), "default", "disk", io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), failing{broken}), 4<<20)
	if want := `upload volume "disk" to pool "default" on host "alpha": the cable is cut`; !errors.Is(err, broken) || err.Error() != want {
		t.Errorf("an upload from a broken source: %v, want %q", err, want)
	}

	err = host.Download(t.Context(), "default", "disk", failing{broken})
	if !errors.Is(err, broken) {
		t.Errorf("a download to a broken target: %v", err)
	}

	// The connection is as good as before.
	must(t, host.Upload(t.Context(), "default", "disk", bytes.NewReader(make([]byte, 4<<20)), 4<<20))
}

// failing is a source and a target that do not work.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestFullVolumeHasItsSpaceSetAside(t *testing.T) {
	_, host := alpha(t)

	for _, format := range []string{"raw", "qcow2"} {
		must(t, host.CreateVolume(t.Context(), VolumeSpec{Pool: "default", Name: format, Format: format, Capacity: 4 << 20, Full: true}))

		if made := volume(t, host, format); made.Allocation < 4<<20 {
			t.Errorf("The %s volume occupies %d bytes, want all of its 4 MiB", format, made.Allocation)
		}
	}
}

func TestOverlayStandsOnWhatIsBelowIt(t *testing.T) {
	_, host := alpha(t)
	ctx := t.Context()

	must(t, host.CreateVolume(ctx, VolumeSpec{Pool: "default", Name: "base", Format: "qcow2", Capacity: 4 << 20}))

	base := volume(t, host, "base")
	for _, name := range []string{"upper-b", "upper-a"} {
		must(t, host.CreateVolume(ctx, VolumeSpec{Pool: "default", Name: name, Format: "qcow2", Capacity: 8 << 20, Backing: &base}))
	}

	upper := func(name string) Volume {
		return Volume{
			Pool: "default", Name: name, Path: imagesFolder + "/" + name, Format: "qcow2", Capacity: 8 << 20,
			BackingPath: base.Path, BackingFormat: "qcow2",
		}
	}

	if diff := cmp.Diff(upper("upper-a"), volume(t, host, "upper-a"), anyAllocation); diff != "" {
		t.Errorf("the overlay (-want +got):\n%s", diff)
	}

	for name, want := range map[string][]Volume{"base": {upper("upper-a"), upper("upper-b")}, "upper-a": nil, "none": nil} {
		got, err := host.Overlays(ctx, "default", name)
		must(t, err)

		if diff := cmp.Diff(want, got, anyAllocation); diff != "" {
			t.Errorf("the overlays on %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPrivateVolumeIsItsOwnersOnly(t *testing.T) {
	bed, host := alpha(t)

	for name, private := range map[string]bool{"private": true, "public": false} {
		must(t, host.CreateVolume(t.Context(), VolumeSpec{Pool: "default", Name: name, Format: "raw", Capacity: 1024, Private: private}))
		must(t, host.Upload(t.Context(), "default", name, strings.NewReader("secret"), 6))

		if mode := onDisk(t, bed.Folder(), name).Mode().Perm(); private && mode != 0o600 {
			t.Errorf("the %s volume has the permissions %o", name, mode)
		}
	}
}

func TestVolumeRemovedBehindLibvirtsBackIsNotFound(t *testing.T) {
	bed, host := alpha(t)
	must(t, host.CreateVolume(t.Context(), VolumeSpec{Pool: "default", Name: "disk", Format: "raw", Capacity: 1024}))
	volume(t, host, "disk")

	must(t, os.Remove(filepath.Join(bed.Folder(), "lib/images/disk")))
	must(t, os.WriteFile(filepath.Join(bed.Folder(), "lib/images/stray"), make([]byte, 512), 0o600))

	missing(t, host) // asked for alone, since this client has written

	fresh := client(bed) // as in the next run of Terraform
	missing(t, fresh)

	if got := volume(t, fresh, "stray"); got.Capacity != 512 || got.Format != "raw" {
		t.Errorf("a file that was put there is the volume %+v", got)
	}
}

func TestVolumeOfAnInactivePoolIsNotSaidToBeGone(t *testing.T) {
	bed, host := alpha(t)
	virsh(t, bed, "pool-define-as", "spare", "dir", "--target", imagesFolder+"/spare")
	t.Cleanup(func() { virsh(t, bed, "pool-undefine", "spare") })

	want := `look for volume "disk": pool "spare" of host "alpha" is not active. Start the pool`
	if _, err := host.Volume(t.Context(), "spare", "disk"); err == nil || errors.Is(err, ErrNotFound) || err.Error() != want {
		t.Errorf("a volume of an inactive pool: %v, want %q", err, want)
	}

	host.forget(storage) // from now on it is asked for alone

	if _, err := host.Volume(t.Context(), "spare", "disk"); err == nil || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "not active") {
		t.Errorf("a volume of an inactive pool, asked for alone: %v", err)
	}

	if err := host.DeleteVolume(t.Context(), "spare", "disk"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("delete a volume of an inactive pool: %v", err)
	}

	if _, err := host.Volume(t.Context(), "nowhere", "disk"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a volume of a pool that nobody defined: %v", err)
	}
}

// A pool's storage may vanish while the pool is active, such as a file system that was unmounted.
func TestVolumeOfAPoolWithoutItsStorageIsNotSaidToBeGone(t *testing.T) {
	bed, host := alpha(t)
	folder := filepath.Join(bed.Folder(), "lib/images/spare")

	must(t, os.Mkdir(folder, 0o700))
	virsh(t, bed, "pool-define-as", "spare", "dir", "--target", imagesFolder+"/spare")
	virsh(t, bed, "pool-start", "spare")
	t.Cleanup(func() { virsh(t, bed, "pool-undefine", "spare") })
	must(t, host.CreateVolume(t.Context(), VolumeSpec{Pool: "spare", Name: "disk", Format: "raw", Capacity: 1024}))
	must(t, os.RemoveAll(folder))

	// Libvirt stops a pool whose storage it cannot find. Reading another one must not have it look.
	missing(t, client(bed))

	if spare, err := host.Pool(t.Context(), "spare"); err != nil || !spare.Active {
		t.Errorf("the spare pool after the default one was read: %+v, %v", spare, err)
	}

	if _, err := client(bed).Volume(t.Context(), "spare", "disk"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("a volume of a pool without its storage: %v, want another error than ErrNotFound", err)
	}
}

func TestPoolThatVanishesWhileItIsListedHidesNoOther(t *testing.T) {
	bed, host := alpha(t)

	conn, err := host.connect(t.Context())
	must(t, err)

	defer conn.close()

	virsh(t, bed, "pool-define-as", "brief", "dir", "--target", imagesFolder+"/brief")

	listed, err := conn.(*confining).connection.(session).conn.ListAllStoragePools(libvirt.ConnectListAllStoragePoolsFlags(0))
	must(t, err)
	virsh(t, bed, "pool-undefine", "brief")

	pools, err := describePools(listed)
	if err != nil || len(pools) != 1 || pools[0].name != "default" {
		t.Errorf("of %d listed pools there are %v, %v; want the default one", len(listed), pools, err)
	}
}

func TestUploadStopsWhenTheRunIsCancelled(t *testing.T) {
	_, host := alpha(t)
	must(t, host.CreateVolume(t.Context(), VolumeSpec{Pool: "default", Name: "disk", Format: "raw", Capacity: 1 << 40}))

	ctx, cancel := context.WithCancel(t.Context())
	err := host.Upload(ctx, "default", "disk", endless(cancel), 1<<40)

	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled upload: %v", err)
	}
}

func TestShortContentArrivesAlthoughAnUploadIsNeverAnswered(t *testing.T) {
	bed, direct := alpha(t)
	content := []byte("a short content")
	must(t, direct.CreateVolume(t.Context(), VolumeSpec{Pool: "default", Name: "disk", Format: "raw", Capacity: uint64(len(content))}))

	// What a client sends by a stream is its data, and then its end, which is answered.
	for what, lost := range map[string]wire.Fault{
		"the end":            {Action: wire.Lose, At: 2},
		"the answer to that": {Action: wire.Lose, At: 2, After: true},
	} {
		proxy, err := wire.Listen(filepath.Join(t.TempDir(), "socket"), bed.Socket(), wire.Options{Counts: func(call wire.Call) bool { return call.Stream }})
		must(t, err)
		t.Cleanup(func() { must(t, proxy.Close()) })

		host := NewHost("alpha", Config{URI: proxy.URI(), ConnectTimeout: patience})

		proxy.Arm(lost)
		must(t, host.put(t.Context(), "default", "disk", content, time.Second))

		if fired, err := proxy.Fired(); !fired || err != nil {
			t.Errorf("%s was not lost: %v", what, err)
		}

		var got bytes.Buffer
		must(t, direct.Download(t.Context(), "default", "disk", &got))

		if !bytes.Equal(got.Bytes(), content) {
			t.Errorf("with %s lost, %q arrived", what, got.Bytes())
		}
	}

	proxy, err := wire.Listen(filepath.Join(t.TempDir(), "socket"), bed.Socket(), wire.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, proxy.Close()) })

	host := NewHost("alpha", Config{URI: proxy.URI(), ConnectTimeout: patience})
	proxy.Arm(wire.Fault{Action: wire.Stall, At: 1})

	hasty, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()

	if err := host.put(hasty, "default", "disk", content, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("on a host that says nothing: %v, want the caller's own deadline", err)
	}
}

// endless is a source of zeros without an end, of which the first read cancels the run.
type endless context.CancelFunc

func (e endless) Read(chunk []byte) (int, error) {
	e()
	clear(chunk)

	return len(chunk), nil
}

func volume(t *testing.T, host *Host, name string) Volume {
	t.Helper()

	found, err := host.Volume(t.Context(), "default", name)
	must(t, err)

	return found
}

func missing(t *testing.T, host *Host) {
	t.Helper()

	want := `find volume "disk" in pool "default" of host "alpha": not found`
	if _, err := host.Volume(t.Context(), "default", "disk"); !errors.Is(err, ErrNotFound) || err.Error() != want {
		t.Fatalf("a volume that is not there: %v, want %q", err, want)
	}
}

// onDisk looks at a volume's file.
func onDisk(t *testing.T, folder, name string) os.FileInfo {
	t.Helper()

	info, err := os.Stat(filepath.Join(folder, "lib/images", name))
	must(t, err)

	return info
}
