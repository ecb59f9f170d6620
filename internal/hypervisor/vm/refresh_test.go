package vm

import (
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/domainxml"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/libvirt"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

func TestImportedMachineWithoutItsSeedIsNotSaidToBeGone(t *testing.T) {
	bed := testbed.Hosts(t, "alpha")[0]
	host := libvirt.NewHost("alpha", libvirt.Config{URI: bed.URI(), ConnectTimeout: 10 * time.Second})
	declared := declared()
	declared.DomainType = str(testbed.DomainTypeFor(t))
	declared.CPU.Pins = notations("0", "1")

	text, err := domainxml.Render(declared.spec(declared.ID.ValueString(), formats()))
	if err != nil {
		t.Fatal(err)
	}

	if err := host.Define(t.Context(), text); err != nil {
		t.Fatal(err)
	}

	imported := model{ID: declared.ID, Host: declared.Host}
	if err := refresh(t.Context(), host, &imported); err != nil {
		t.Fatal(err)
	}

	if imported.CloudInit != nil || imported.Name.ValueString() != declared.Name.ValueString() {
		t.Errorf("The imported machine is %+v", imported)
	}
}

func TestPausedMachineIsStartedOrStoppedAsItShouldBe(t *testing.T) {
	paused := observed{domain: libvirt.Domain{Active: true}}

	for _, running := range []bool{true, false} {
		steps := changes(paused, target{running: running}, eight)
		if len(steps) != 1 || steps[0].Power == nil || *steps[0].Power != running {
			t.Errorf("with running = %t the steps are %+v", running, steps)
		}
	}
}
