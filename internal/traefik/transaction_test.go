package traefik

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/google/go-cmp/cmp"
)

func TestTransactionReplacesWhatIsStoredAndChecksEveryKey(t *testing.T) {
	stored := map[string]catalog.Key{
		"http/routers/shop/rule":          {Value: "R", Index: 7},
		"http/routers/shop/entrypoints/0": {Index: 8},
		"http/routers/Shop/tls":           {Index: 9},
		"http/routers/shop~1/rule":        {Index: 10},
	}
	at := func(index uint64) *uint64 { return &index }

	got := transaction(stored, "traefik/", map[string]string{"http/routers/shop/rule": "R", "http/routers/shop/service": "S"})
	want := []catalog.KeyChange{
		{Path: "traefik/http/routers/Shop/tls", Delete: true, Index: at(9)},
		{Path: "traefik/http/routers/shop/entrypoints/0", Delete: true, Index: at(8)},
		{Path: "traefik/http/routers/shop~1/rule", Delete: true, Index: at(10)},
		{Path: "traefik/http/routers/shop/rule", Value: "R", Index: at(7)},
		{Path: "traefik/http/routers/shop/service", Value: "S", Index: at(0)},
	}

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes differ (-want +got):\n%s", diff)
	}

	if again := transaction(stored, "traefik/", map[string]string{
		"http/routers/shop/rule": "R", "http/routers/shop/entrypoints/0": "", "http/routers/Shop/tls": "", "http/routers/shop~1/rule": "",
	}); again != nil {
		t.Errorf("nothing differs, and yet there are the changes %v", again)
	}
}
