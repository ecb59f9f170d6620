package testbed

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGuestReadsTheYAMLOfSeeds(t *testing.T) {
	for _, test := range []struct{ name, yaml, want string }{
		{
			"network configuration as Go renders it",
			"version: 2\nethernets:\n    lan:\n        addresses:\n            - 10.0.0.1/24\n            - 10.0.0.2/24\n        match:\n" +
				"            macaddress: \"52:54:00:aa:bb:cc\"\n        routes:\n            - to: 0.0.0.0/0\n              via: 10.0.0.254\n",
			"version\t2\nethernets/lan/addresses/0\t10.0.0.1/24\nethernets/lan/addresses/1\t10.0.0.2/24\n" +
				"ethernets/lan/match/macaddress\t52:54:00:aa:bb:cc\nethernets/lan/routes/0/to\t0.0.0.0/0\nethernets/lan/routes/0/via\t10.0.0.254\n",
		},
		{
			"network configuration on few lines",
			"network:\n  ethernets:\n    a: # first\n      match: {macaddress: '52:54:00:AA:bb:dd', name: \"e*\"}\n      addresses: [10.0.0.1/8, \"10.0.0.2/8\"] # two\n      dhcp4: true\n",
			"network/ethernets/a/match/macaddress\t52:54:00:AA:bb:dd\nnetwork/ethernets/a/match/name\te*\n" +
				"network/ethernets/a/addresses/0\t10.0.0.1/8\nnetwork/ethernets/a/addresses/1\t10.0.0.2/8\nnetwork/ethernets/a/dhcp4\ttrue\n",
		},
		{
			"user data",
			"#cloud-config\nwrite_files:\n- path: /www/a\n  content: |\n    #!/bin/sh\n    echo \"a\\tb: $x\"\n\n      indented\n\n  permissions: '0755'\n" +
				"- content: \"x\\ny \\\"q\\\"\"\n  path: /b\nruncmd:\n  - \"httpd -p 80\"\n  - |-\n    for i in 1; do\n      echo $i\n    done\n  - [a, b]\nlast: 'it''s'\n",
			"write_files/0/path\t/www/a\nwrite_files/0/content\t#!/bin/sh\\necho \"a\\\\tb: $x\"\\n\\n  indented\\n\nwrite_files/0/permissions\t0755\n" +
				"write_files/1/content\tx\\ny \"q\"\nwrite_files/1/path\t/b\nruncmd/0\thttpd -p 80\nruncmd/1\tfor i in 1; do\\n  echo $i\\ndone\n" +
				"runcmd/2/0\ta\nruncmd/2/1\tb\nlast\tit's\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := feed(t.Context(), test.yaml, busybox, "awk", "-f", "files/appliance/yaml.awk")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("paths and values (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewestKernelIsTaken(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"vmlinuz-6.1.0-9-cloud-amd64", "vmlinuz-6.1.0-56-cloud-amd64", "vmlinuz-5.10.0-99-cloud-amd64", "vmlinuz-7.0.0-1-amd64"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := findKernel(folder); err != nil || filepath.Base(got) != "vmlinuz-6.1.0-56-cloud-amd64" {
		t.Errorf("findKernel returns %q, %v", got, err)
	}
	if got, err := findKernel(t.TempDir()); err == nil {
		t.Errorf("findKernel returns %q from an empty folder", got)
	}
}
