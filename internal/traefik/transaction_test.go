package traefik

import (
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/google/go-cmp/cmp"
)

func TestTransactionReplacesWhatIsOwnedAndChecksEveryKey(t *testing.T) {
	stored := map[string]catalog.Key{
		"traefik/http/routers/shop/rule":            {Index: 7},
		"traefik/http/routers/shop/entrypoints/0":   {Index: 8},
		"traefik/http/routers/Shop/tls":             {Index: 9},
		"traefik/http/routers/shop~1/rule":          {Index: 10},
		"traefik/http/routers/shopping/rule":        {Index: 11},
		"traefik/http/services/shop/mirroring/name": {Index: 12},
	}
	at := func(index uint64) *uint64 { return &index }

	got := transaction(stored, "traefik/http/", ownsRoute("shop"), map[string]string{"routers/shop/rule": "R", "routers/shop/service": "S"})
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
}
