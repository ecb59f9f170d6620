package catalog_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/consul/api"
)

// rootToken is the management token of the Consul that startStrict starts.
const rootToken = "6f1f7a52-7c5c-4d0b-9d34-2f0c2f0d9a11"

// startStrict starts a Consul that denies what no token allows, and returns its address.
func startStrict(t *testing.T) string {
	t.Helper()

	servers, err := testbed.For(t).StartConsulServers(t.Context(), testbed.ConsulOptions{Token: rootToken})
	if err != nil {
		t.Fatal(err)
	}

	return servers[0].Address()
}

func TestWhatATokenMayNotReadNeverLooksLikeNotFound(t *testing.T) {
	address := startStrict(t)

	root, err := api.NewClient(&api.Config{Address: address, Token: rootToken})
	if err != nil {
		t.Fatal(err)
	}

	eventually(t, "Consul with access control is up", func() bool {
		_, _, err := root.ACL().TokenReadSelf(nil)

		return err == nil
	})

	owner, err := catalog.New(catalog.Config{Address: address, Token: rootToken})
	if err != nil {
		t.Fatal(err)
	}

	blind, err := catalog.New(catalog.Config{Address: address, Token: newToken(t, root, `key_prefix "allowed/" { policy = "write" }`)})
	if err != nil {
		t.Fatal(err)
	}

	nobody, err := catalog.New(catalog.Config{Address: address}) // Consul hides from it that it hides anything
	if err != nil {
		t.Fatal(err)
	}

	places(t, func(t *testing.T, node string) {
		service := full(t, node)
		register(t, owner, service)

		for who, identity := range map[string]catalog.Identity{"by name": service.Identity, "by id": {Node: node, ID: service.ID}} {
			for token, client := range map[string]*catalog.Client{"a blind": blind, "no": nobody} {
				_, err := client.Instance(t.Context(), identity)
				if err == nil || errors.Is(err, catalog.ErrNotFound) {
					t.Errorf("Instance %s with %s token: %v, want an error that is not ErrNotFound", who, token, err)
				}
			}
		}

		other := service
		other.ID += "-other"

		err := blind.Register(t.Context(), other)
		if err == nil || errors.Is(err, catalog.ErrUnanswered) || strings.Contains(err.Error(), rootToken) {
			t.Errorf("Register with a blind token: %v", err)
		}
	})

	t.Run("keys", func(t *testing.T) {
		write(t, owner, catalog.KeyChange{Path: "secret/a", Value: "1"})

		for token, client := range map[string]*catalog.Client{"a blind": blind, "no": nobody} {
			if found, err := client.Keys(t.Context(), "secret/"); err == nil {
				t.Errorf("Keys with %s token: %v, want an error", token, found)
			}
		}
	})
}

func newToken(t *testing.T, root *api.Client, rules string) string {
	t.Helper()

	policy, _, err := root.ACL().PolicyCreate(&api.ACLPolicy{Name: "blind", Rules: rules}, nil)
	if err != nil {
		t.Fatalf("make a policy: %v", err)
	}

	token, _, err := root.ACL().TokenCreate(&api.ACLToken{Policies: []*api.ACLTokenPolicyLink{{ID: policy.ID}}}, nil)
	if err != nil {
		t.Fatalf("make a token: %v", err)
	}

	return token.SecretID
}
