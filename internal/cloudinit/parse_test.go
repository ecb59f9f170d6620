package cloudinit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseGivesBackWhatWasRendered(t *testing.T) {
	t.Parallel()

	for name, seed := range map[string]Seed{
		"bare": {InstanceID: "i-1"},
		"full": {
			InstanceID: "i-2", Hostname: "web-1", MetaData: map[string]string{"role": "web: #1", "empty": ""},
			UserData: "#cloud-config\nruncmd: []\n" + strings.Repeat("# filler\n", 5000),
			Network: []Interface{
				{Name: "lan", MAC: "52:54:00:00:00:01", Addresses: []string{"10.0.0.5/24", "fd00::5/64"}, Gateway: "10.0.0.1", Gateway6: "fd00::1", Nameservers: []string{"10.0.0.2"}},
				{Name: "wan", MAC: "52:54:00:00:00:02", DHCP: true, MTU: 9000},
			},
		},
		"ready-made network": {InstanceID: "i-3", UserData: "#!/bin/sh\n", NetworkConfig: "version: 2\nethernets: {}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			image, err := Render(seed)
			if err != nil {
				t.Fatal(err)
			}

			got, err := Parse(image)
			if err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff(seed, got); diff != "" {
				t.Errorf("Parse(Render(seed)) differs (-want +got):\n%s", diff)
			}

			archive, err := Archive(seed)
			if err != nil {
				t.Fatal(err)
			}

			if got, err = ParseArchive(archive); err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff(seed, got); diff != "" {
				t.Errorf("ParseArchive(Archive(seed)) differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefusesWhatIsNoSeed(t *testing.T) {
	t.Parallel()

	for name, image := range map[string][]byte{"nothing": nil, "zeros": make([]byte, 1<<16), "text": []byte(strings.Repeat("x", 4096))} {
		if _, err := Parse(image); err == nil {
			t.Errorf("%s: Parse accepts it", name)
		}

		if _, err := ParseArchive(image); err == nil {
			t.Errorf("%s: ParseArchive accepts it", name)
		}
	}
}
