package vm

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/cloudinit"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func TestSeedSaysWhatTheMachineIsTold(t *testing.T) {
	m := declared()
	m.CloudInit = &cloudInit{
		UserData: str("#cloud-config\n"),
		MetaData: map[string]string{"rack": "7"},
		Network: map[string]network{
			"lan": {DHCP: types.BoolValue(true)},
			"eth0": {
				Addresses: []string{"10.0.0.1/24", "fd00::1/64"}, Gateway: str("10.0.0.254"), Gateway6: str("fd00::fe"), Nameservers: []string{"9.9.9.9"},
			},
		},
	}

	want := cloudinit.Seed{
		InstanceID: "uuid", Hostname: "web-1", MetaData: map[string]string{"rack": "7"}, UserData: "#cloud-config\n",
		Network: []cloudinit.Interface{
			{
				Name: "eth0", MAC: "52:54:00:00:00:01", Addresses: []string{"10.0.0.1/24", "fd00::1/64"},
				Gateway: "10.0.0.254", Gateway6: "fd00::fe", Nameservers: []string{"9.9.9.9"},
			},
			{Name: "lan", MAC: "52:54:00:00:00:02", DHCP: true},
		},
	}

	for range 10 { // whatever order a map is walked in
		if diff := cmp.Diff(want, m.seed("uuid")); diff != "" {
			t.Fatalf("the seed (-want +got):\n%s", diff)
		}
	}
}

func TestSeedStandsBesideTheDiskThatTheMachineBootsFrom(t *testing.T) {
	for want, volumes := range map[string]map[string]string{
		"fast": {"root": "alpha/fast/r", "a": "alpha/default/a"},
		"slow": {"data": "alpha/slow/d", "logs": "alpha/default/l"},
	} {
		m := declared()
		m.Disks = map[string]disk{}

		for name, volume := range volumes {
			m.Disks[name] = disk{Volume: str(volume)}
		}

		got := m.spec("uuid", nil).Seed
		if diff := cmp.Diff(&domainxml.Volume{Pool: want, Name: "web-1.seed"}, got); diff != "" {
			t.Errorf("the seed of a machine with the disks %v (-want +got):\n%s", volumes, diff)
		}
	}

	m := declared()
	if m.CloudInit = nil; m.spec("uuid", nil).Seed != nil {
		t.Error("a machine that is told nothing has a seed")
	}
}

func TestAddressesLoseTheirPrefix(t *testing.T) {
	got := withoutPrefix([]string{"10.0.0.101/24", "fd00::1/64", "nonsense", "10.0.0.1"})
	if diff := cmp.Diff([]string{"10.0.0.101", "fd00::1"}, got); diff != "" {
		t.Errorf("the addresses (-want +got):\n%s", diff)
	}
}
