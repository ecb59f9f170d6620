package kong

import (
	"context"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
)

const secret = "a-token-that-nobody-may-see"

func TestUnreachableAdminAPISaysWhereItWasSought(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}

	engine := newEngine(t, Config{AdminURL: "http://admin:" + secret + "@" + address + "/"})
	_, readErr := engine.Upstream(t.Context(), "up")
	errs := map[string]error{
		"read":         readErr,
		"put upstream": engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}}),
		"put route":    engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "shop"}, Paths: []string{"/"}, Upstream: "up"}),
		"delete":       engine.DeleteUpstream(t.Context(), gateway.Record{Name: "up"}),
	}
	for name, err := range errs {
		t.Run(name, func(t *testing.T) {
			wantError(t, err, "reach Kong's Admin API at http://admin:xxxxx@"+address+": ", "connection refused", "admin_url")
			if errors.Is(err, gateway.ErrNotFound) {
				t.Error("an unreachable gateway looks like a missing upstream")
			}
			for _, unwanted := range []string{secret, `"http`, "making HTTP request"} { // the library's words repeat the address
				if strings.Contains(err.Error(), unwanted) {
					t.Errorf("%q stands in %q", unwanted, err)
				}
			}
		})
	}
}

func TestCancelledRequestIsReportedAsSuch(t *testing.T) {
	_, engine := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := engine.Upstream(ctx, "up"); !errors.Is(err, context.Canceled) {
		t.Errorf("read %v", err)
	}
}

func TestTokenIsSentWithEveryRequestAndStandsInNoError(t *testing.T) {
	server := kongtest.New(t)
	server.RequireToken(secret)
	engine := newEngine(t, Config{AdminURL: server.URL, Token: secret})
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}},
		gateway.Route{Record: gateway.Record{Name: "shop"}, Paths: []string{"/"}, Upstream: "up"})
	if err := engine.DeleteRoute(t.Context(), gateway.Record{Name: "shop"}); err != nil {
		t.Fatal(err)
	}
	for _, request := range server.Requests() {
		if request.Token != secret {
			t.Errorf("%s %s came without the token", request.Method, request.Path)
		}
	}

	server.RequireToken("another")
	_, err := engine.Upstream(t.Context(), "up")
	wantError(t, err, "Kong answered 401", "Check the token")
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the token stands in %q", err)
	}
}

func TestTokenDoesNotFollowRedirects(t *testing.T) {
	elsewhere := kongtest.New(t)
	redirect := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(redirect.Close)

	_, err := newEngine(t, Config{AdminURL: redirect.URL, Token: secret}).Upstream(t.Context(), "up")
	wantError(t, err, "redirects")
	if followed := elsewhere.Requests(); followed != nil {
		t.Errorf("the redirect was followed: %v", followed)
	}
}

func TestCertificateIsVerified(t *testing.T) {
	server := httptest.NewTLSServer(kongtest.New(t))
	t.Cleanup(server.Close)
	server.Config.ErrorLog = nil

	_, err := newEngine(t, Config{AdminURL: server.URL, Token: secret}).Upstream(t.Context(), "up")
	wantError(t, err, "reach Kong's Admin API at "+server.URL, "certificate signed by unknown authority")
	if errors.Is(err, gateway.ErrNotFound) {
		t.Error("an untrusted gateway looks like a missing upstream")
	}

	authority := filepath.Join(t.TempDir(), "ca.pem")
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, bundle, 0o600); err != nil {
		t.Fatal(err)
	}
	trusting := newEngine(t, Config{AdminURL: server.URL, CAFile: authority})
	if _, err := trusting.Upstream(t.Context(), "up"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("read with the right CA: %v", err)
	}
}

func TestMalformedConfigIsRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}

	cases := map[string]struct {
		config Config
		says   string
	}{
		"no scheme":       {Config{AdminURL: "10.0.0.31:8001"}, "http://host:port"},
		"no host":         {Config{AdminURL: "http://"}, "http://host:port"},
		"other scheme":    {Config{AdminURL: "ftp://10.0.0.31"}, "http://host:port"},
		"bad port":        {Config{AdminURL: "http://admin:" + secret + ":x@[::1"}, "http://host:port"},
		"missing CA file": {Config{AdminURL: "https://10.0.0.31:8444", CAFile: "missing.pem"}, "missing.pem"},
		"empty CA file":   {Config{AdminURL: "https://10.0.0.31:8444", CAFile: empty}, "holds no PEM certificate"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := New(c.config)
			wantError(t, err, c.says)
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the password stands in %q", err)
			}
		})
	}
}

func TestAnswerThatIsNotKongsIsReportedByItsStatus(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<html>Bad Gateway</html>", http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)

	_, err := newEngine(t, Config{AdminURL: server.URL}).Route(t.Context(), "shop")
	wantError(t, err, "Kong answered 502")
	if strings.Contains(err.Error(), "html") {
		t.Errorf("the page stands in %q", err)
	}
}

func TestServerThatIsNotTheAdminAPIHidesNothing(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		if _, err := w.Write([]byte(`{"message":"no Route matched with those values"}`)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(proxy.Close)

	engine := newEngine(t, Config{AdminURL: proxy.URL})
	_, bulkErr := engine.Upstream(t.Context(), "up")
	deleteErr := engine.DeleteRoute(t.Context(), gateway.Record{Name: "shop"})
	_, directErr := engine.Route(t.Context(), "shop")
	for name, err := range map[string]error{
		"read in bulk": bulkErr, "delete route": deleteErr, "read alone": directErr,
		"delete upstream": engine.DeleteUpstream(t.Context(), gateway.Record{Name: "up"}),
		"put route":       engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "shop"}, Paths: []string{"/"}, Upstream: "up"}),
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, err, "Kong answered 404: no Route matched", "not the proxy")
			if errors.Is(err, gateway.ErrNotFound) {
				t.Error("it looks like a missing entity")
			}
		})
	}
}

func TestKongWithoutADatabaseSaysWhatItNeeds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body := http.StatusNotFound, `{"message":"Not found"}`
		if r.Method != http.MethodGet { // as recorded from Kong 3.9.1
			status = http.StatusMethodNotAllowed
			body = `{"message":"cannot create or update 'upstreams' entities by 'name' when not using a database","name":"operation unsupported","code":12}`
		}
		w.WriteHeader(status)
		if _, err := w.Write([]byte(body)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)

	engine := newEngine(t, Config{AdminURL: server.URL})
	err := engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: "up"}, Services: map[string]gateway.Member{"web": {Weight: 1}}})
	wantError(t, err, "Kong answered 405", "when not using a database", "give it a database")
}
