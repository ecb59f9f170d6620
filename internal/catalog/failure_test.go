package catalog_test

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
)

// closedPort is an address at which nothing listens: port 1 is reserved for tcpmux.
const closedPort = "http://127.0.0.1:1"

func TestUnreachableConsulNeverLooksLikeNotFound(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		client := newClient(t, closedPort)

		_, err := client.Instance(t.Context(), full(t, node).Identity)
		if err == nil || errors.Is(err, catalog.ErrNotFound) {
			t.Fatalf("Instance: %v", err)
		}

		for _, word := range []string{"127.0.0.1:1 cannot be reached", "connection refused", "CONSUL_HTTP_ADDR"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("Instance: %v, want %q in it", err, word)
			}
		}
	})
}

func TestServerErrorNeverLooksLikeNotFound(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		for _, code := range []int{http.StatusForbidden, http.StatusInternalServerError, http.StatusBadGateway} {
			address := proxy(t, func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(code)

				return true
			})

			_, err := newClient(t, address).Instance(t.Context(), full(t, node).Identity)
			if err == nil || errors.Is(err, catalog.ErrNotFound) {
				t.Errorf("Instance answered with %d: %v", code, err)
			}
		}
	})
}

func TestWriteWhoseAnswerIsLostIsMarked(t *testing.T) {
	places(t, func(t *testing.T, node string) {
		service := full(t, node)

		address := proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut {
				return false
			}

			if err := newClient(t, consulAddress).Register(r.Context(), service); err != nil {
				t.Errorf("Register: %v", err)
			}

			panic(http.ErrAbortHandler) // the write is done, the connection breaks
		})

		// On a node a look shows that the write was carried out; an agent is told again until time is over.
		err := newClient(t, address).Register(t.Context(), service)
		if lost := errors.Is(err, catalog.ErrUnanswered); lost != (node == "") || (err != nil && !lost) {
			t.Errorf("Register: %v, want ErrUnanswered from an agent and success on a node", err)
		}

		wantInstance(t, newClient(t, consulAddress), service)
		deregister(t, newClient(t, consulAddress), service)
	})
}

func TestWriteThatWasNeverSentIsNotMarked(t *testing.T) {
	_, err := newClient(t, closedPort).WriteKeys(t.Context(), []catalog.KeyChange{{Path: unique(t), Value: "x"}})
	if err == nil || errors.Is(err, catalog.ErrUnanswered) {
		t.Errorf("WriteKeys to a closed port: %v, want an error that is not ErrUnanswered", err)
	}
}

func TestWriteIsWorkedOutAnewIfAProberCameBetween(t *testing.T) {
	service := full(t, "node-"+unique(t))
	register(t, newClient(t, consulAddress), service)

	var writes atomic.Int64

	address := proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v1/txn" && writes.Add(1) == 1 {
			setStatus(t, service, "passing", "200 OK")
		}

		return false
	})

	web := service.Checks["web"]
	web.HTTP = "http://127.0.0.1:1/other"
	service.Checks["web"] = web

	client := newClient(t, address)
	if err := client.Update(t.Context(), service); err != nil {
		t.Fatalf("Update: %v", err)
	}

	if writes.Load() != 2 {
		t.Errorf("the update took %d transactions, want a refused one and another", writes.Load())
	}

	if check := checkOf(t, service, "web"); check.Status != "passing" {
		t.Errorf("the check is %s, want the prober's passing", check.Status)
	}

	wantInstance(t, client, service)
}

func TestConsulBehindTLSIsVerifiedAgainstTheGivenAuthority(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/acl/") {
			http.Error(w, "ACL support disabled", http.StatusUnauthorized)

			return
		}

		_, _ = w.Write([]byte("[]"))
	}))
	t.Cleanup(server.Close)

	authority := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})

	if err := os.WriteFile(authority, block, 0o600); err != nil {
		t.Fatal(err)
	}

	who := catalog.Identity{Node: "n", Name: "s", ID: "s"}

	_, err := newClient(t, server.URL).Instance(t.Context(), who)
	if err == nil || errors.Is(err, catalog.ErrNotFound) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("with an unknown authority: %v, want a refusal of the certificate", err)
	}

	trusting, err := catalog.New(catalog.Config{Address: server.URL, CAFile: authority})
	if err != nil {
		t.Fatal(err)
	}

	if _, err := trusting.Instance(t.Context(), who); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("with the authority given: %v, want the server's answer, which is empty", err)
	}
}

func TestAddressWithAPasswordIsRefusedWithoutRepeatingIt(t *testing.T) {
	_, err := catalog.New(catalog.Config{Address: "http://admin:hunter2@127.0.0.1:8500"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("New: %v, want a refusal that does not hold the password", err)
	}
}
