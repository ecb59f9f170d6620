package domainxml

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shelf has the volumes of a host, and of a volume group, by the paths that they have there.
var shelf = map[Volume]string{
	{Pool: "default", Name: "web-1"}: "/var/lib/libvirt/images/web-1",
	{Pool: "vg", Name: "web-1-data"}: "/dev/vg/web-1-data",
	{Pool: "default", Name: "seed"}:  "/var/lib/libvirt/images/seed",
}

func pathOf(volume Volume) (string, error) {
	path, found := shelf[volume]
	if !found {
		return "", errors.New("no such volume")
	}

	return path, nil
}

func volumeAt(path string) (Volume, error) {
	for volume, at := range shelf {
		if at == path {
			return volume, nil
		}
	}

	return Volume{}, nil
}

func shelved(t *testing.T) string {
	t.Helper()

	rendered, err := Render(Spec{
		Name: "web-1", UUID: "9b0bd7a2-4f7d-4a8e-8c8f-6f6d9a2f4d11", Type: "kvm", Machine: "q35", VCPUs: 1, Memory: 1 << 30,
		Disks: map[string]Disk{
			"root": {Volume: Volume{Pool: "default", Name: "web-1"}, Format: "qcow2"},
			"data": {Volume: Volume{Pool: "vg", Name: "web-1-data"}, Format: "raw"},
		},
		Seed: &Volume{Pool: "default", Name: "seed"},
	})
	if err != nil {
		t.Fatal(err)
	}

	return rendered
}

// TestDisksByTheirPathsAreTheSameDisks takes a definition to paths and back: nothing else in it may change.
func TestDisksByTheirPathsAreTheSameDisks(t *testing.T) {
	rendered := shelved(t)

	spelled, err := ByPath(rendered, pathOf)
	if err != nil {
		t.Fatal(err)
	}

	for _, want := range []string{`<source file="/var/lib/libvirt/images/web-1">`, `<source dev="/dev/vg/web-1-data">`, `<source file="/var/lib/libvirt/images/seed">`} {
		if !strings.Contains(spelled, want) {
			t.Errorf("There is no %s in\n%s", want, spelled)
		}
	}

	if strings.Contains(spelled, `pool="`) {
		t.Errorf("A disk is still given by its pool in\n%s", spelled)
	}

	back, err := ByVolume(spelled, volumeAt)
	if err != nil {
		t.Fatal(err)
	}

	was, err := Parse(rendered)
	if err != nil {
		t.Fatal(err)
	}

	is, err := Parse(back)
	if err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff(was, is); diff != "" {
		t.Error("The machine is another one (- before, + after):\n" + diff)
	}
}

func TestOneDiskIsSpelledAsThoseOfADefinition(t *testing.T) {
	rendered := shelved(t)

	disk, err := DiskDevice(rendered, "data")
	if err != nil {
		t.Fatal(err)
	}

	spelled, err := ByPath(disk, pathOf)
	if err != nil {
		t.Fatal(err)
	}

	if !strings.HasPrefix(spelled, `<disk type="block"`) || !strings.Contains(spelled, `<source dev="/dev/vg/web-1-data">`) {
		t.Errorf("The disk is not given by its path: %s", spelled)
	}

	back, err := ByVolume(spelled, volumeAt)
	if err != nil {
		t.Fatal(err)
	}

	if back != disk {
		t.Errorf("The disk came back as %s, not as %s", back, disk)
	}
}

// A path outside of all pools stays: it is somebody's own disk, and no volume.
func TestPathThatIsNoVolumeStaysAPath(t *testing.T) {
	rendered := shelved(t)

	spelled, err := ByPath(rendered, func(Volume) (string, error) { return "/srv/elsewhere.img", nil })
	if err != nil {
		t.Fatal(err)
	}

	back, err := ByVolume(spelled, volumeAt)
	if err != nil {
		t.Fatal(err)
	}

	if got := strings.Count(back, `file="/srv/elsewhere.img"`); got != 3 {
		t.Errorf("%d of 3 disks have the path still:\n%s", got, back)
	}
}

func TestVolumeThatIsMissingEndsTheSpelling(t *testing.T) {
	rendered := shelved(t)
	missing := errors.New("no such volume")

	if _, err := ByPath(rendered, func(Volume) (string, error) { return "", missing }); !errors.Is(err, missing) {
		t.Errorf("The error is %v", err)
	}
}

// What libvirt prints of a machine that runs has more than libvirtxml knows, such as the network beside its bridge.
func TestOnlyTheSourcesOfDisksAreSpelledAnew(t *testing.T) {
	const (
		before = "<domain type='kvm' id='3' xmlns:q='urn:q'>\n  <name>web-1</name> <!-- theirs -->\n  <devices q:x='1'>\n"
		after  = `
    <disk type='file' device='cdrom'><source file='/var/lib/libvirt/images/seed'/></disk>
    <interface type='bridge'><source network='shop' portid='5e4e' bridge='ovs0'/></interface>
  </devices><q:other a='&amp;'/>
</domain>`
		byPath = before + `    <disk type='file' device='disk' q:y='&lt;'>
      <backingStore type='file'><source file='/var/lib/libvirt/images/web-1'/></backingStore>
      <source index='1' file='/var/lib/libvirt/images/web-1'><seclabel model='dac' relabel='no'/></source>
    </disk>
    <disk device='disk' type='block'><source dev='/dev/vg/web-1-data' startupPolicy='optional'/></disk>
    <disk type='network'><source protocol='nbd'/></disk><disk type='file'/>` + after
		byVolume = before + `    <disk type="volume" device="disk" q:y="&lt;">
      <backingStore type='file'><source file='/var/lib/libvirt/images/web-1'/></backingStore>
      <source pool="default" volume="web-1" index="1"><seclabel model='dac' relabel='no'/></source>
    </disk>
    <disk type="volume" device="disk"><source pool="vg" volume="web-1-data" startupPolicy="optional"/></disk>
    <disk type='network'><source protocol='nbd'/></disk><disk type='file'/>` + after
	)

	spelled, err := ByVolume(byPath, volumeAt)
	if diff := cmp.Diff(byVolume, spelled); err != nil || diff != "" {
		t.Errorf("By volume (%v, - want, + got):\n%s", err, diff)
	}

	back, err := ByPath(spelled, pathOf)
	if err != nil {
		t.Fatal(err)
	}

	for _, want := range []string{`<source file="/var/lib/libvirt/images/web-1" index="1">`, `<source dev="/dev/vg/web-1-data" startupPolicy="optional"/>`, "<source network='shop' portid='5e4e' bridge='ovs0'/>"} {
		if !strings.Contains(back, want) {
			t.Errorf("There is no %s in\n%s", want, back)
		}
	}

	if again, err := ByVolume(back, volumeAt); err != nil || again != spelled {
		t.Errorf("By volume again (%v):\n%s", err, again)
	}
}

func TestDefinitionThatIsCutOffIsAnError(t *testing.T) {
	for _, text := range []string{"<domain><devices><disk pool='a'><source file='/x'/>", "</domain> pool='", "<domain pool='a' <source file='"} {
		if _, err := ByVolume(text, volumeAt); HasPath(text) && err == nil {
			t.Errorf("%q is spelled by volume", text)
		}

		if _, err := ByPath(text, pathOf); strings.Contains(text, " pool=") && err == nil {
			t.Errorf("%q is spelled by path", text)
		}
	}
}

func TestDefinitionWithoutSuchDisksIsNotTouched(t *testing.T) {
	const text = "<domain type='kvm'> <name>bare</name></domain>"

	for name, spell := range map[string]func() (string, error){
		"by path":   func() (string, error) { return ByPath(text, pathOf) },
		"by volume": func() (string, error) { return ByVolume(text, volumeAt) },
	} {
		if got, err := spell(); got != text || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}
