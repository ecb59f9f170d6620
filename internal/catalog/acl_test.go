package catalog_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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

	program, err := testbed.Tool(t.Context(), "consul")
	if err != nil {
		t.Fatalf("Unable to find Consul: %v", err)
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	port := listener.Addr().(*net.TCPAddr).Port
	folder := t.TempDir()

	// All other traffic goes to a loopback address of its own, so that the fixed ports meet nobody's.
	config := fmt.Sprintf(`
		acl { enabled = true, default_policy = "deny", tokens { initial_management = %q, agent = %q } }
		addresses { http = "127.0.0.1" }
		ports { http = %d, dns = -1, grpc = -1, grpc_tls = -1, serf_wan = -1 }
		bind_addr = "127.77.%d.%d"
		disable_update_check = true
	`, rootToken, rootToken, port, os.Getpid()/256%256, max(os.Getpid()%256, 1))

	file := filepath.Join(folder, "consul.hcl")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}

	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}

	log, err := os.Create(filepath.Join(folder, "consul.log"))
	if err != nil {
		t.Fatal(err)
	}

	command := exec.Command(program, "agent", "-dev", "-node=strict", "-config-file="+file)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

	if err := command.Start(); err != nil {
		t.Fatalf("start Consul: %v", err)
	}

	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})

	return fmt.Sprintf("http://127.0.0.1:%d", port)
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
