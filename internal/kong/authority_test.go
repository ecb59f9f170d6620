package kong

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
	"github.com/google/go-cmp/cmp"
)

// newAuthority is a certificate that signs itself, in PEM.
func newAuthority(t *testing.T, name string, isCA bool) string {
	t.Helper()

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := x509.CreateCertificate(rand.Reader, authorityTemplate(name, isCA), authorityTemplate(name, isCA), key.Public(), key)
	must(t, err)

	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func authorityTemplate(name string, isCA bool) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: isCA, BasicConstraintsValid: true,
	}
}

// trusting is an upstream whose members are verified against authorities.
func trusting(name, authorities string) gateway.Upstream {
	return gateway.Upstream{
		Record: gateway.Record{Name: name}, Protocol: gateway.HTTPS, Targets: map[string]gateway.Member{"10.0.0.1:443": {Weight: 1}},
		TLS: gateway.TLSClient{CA: authorities},
	}
}

// trusted are the certificates that Kong's service verifies against, in their order.
func trusted(t *testing.T, server *kongtest.Server, service string) string {
	t.Helper()

	ids, _ := ask(t, server, http.MethodGet, "/services/"+service, "")["ca_certificates"].([]any)

	var text strings.Builder
	for _, id := range ids {
		fmt.Fprint(&text, ask(t, server, http.MethodGet, fmt.Sprintf("/ca_certificates/%v", id), "")["cert"])
	}

	return text.String()
}

func TestMembersAreVerifiedAgainstTheirAuthorities(t *testing.T) {
	first, second := newAuthority(t, "first", true), newAuthority(t, "second", true)
	server, engine := start(t)
	mustPut(t, engine, trusting("one", first+second))
	mustPut(t, engine, trusting("two", "# the same one\n"+first))

	if got := len(entities(t, server, "/ca_certificates")); got != 2 {
		t.Errorf("Kong has %d authorities of two", got)
	}
	if difference := cmp.Diff(first+second, trusted(t, server, "one")); difference != "" {
		t.Errorf("authorities: wanted (-), written (+):\n%s", difference)
	}
	service := ask(t, server, http.MethodGet, "/services/one", "")
	if service["tls_verify"] != true || service["tls_verify_depth"] != 64.0 {
		t.Errorf("the service verifies %v to the depth of %v", service["tls_verify"], service["tls_verify_depth"])
	}

	bulk := newEngine(t, Config{AdminURL: server.URL})
	for name, want := range map[string]string{"one": first + second, "two": first} {
		for how, reader := range map[string]*Engine{"after the put": engine, "in bulk": bulk} {
			got, err := reader.Upstream(t.Context(), name)
			must(t, err)
			if got.Altered || got.TLS.CA != want {
				t.Errorf("%s, %s, reads back altered: %t, with\n%s", name, how, got.Altered, got.TLS.CA)
			}
		}
	}

	server.Requests()
	mustPut(t, engine, trusting("one", first+second))
	if written := writes(server); written != nil {
		t.Errorf("the same upstream again writes %q", written)
	}
}

func TestAuthorityGoesWithTheLastUpstreamThatTrustsIt(t *testing.T) {
	shared, own := newAuthority(t, "shared", true), newAuthority(t, "own", true)
	server, engine := start(t)
	mustPut(t, engine, trusting("one", shared+own))
	mustPut(t, engine, trusting("two", shared))
	left := func() int { return len(entities(t, server, "/ca_certificates")) }

	mustPut(t, engine, trusting("one", shared))
	if got := left(); got != 1 {
		t.Errorf("%d authorities are left when nothing trusts one of two", got)
	}
	if tags := ask(t, server, http.MethodGet, "/services/one", "")["tags"]; !cmp.Equal(tags, []any{mark}) {
		t.Errorf("the service is tagged %v", tags)
	}

	must(t, engine.DeleteUpstream(t.Context(), gateway.Record{Name: "one"}))
	if got := left(); got != 1 {
		t.Errorf("%d authorities are left while an upstream trusts one", got)
	}

	plain := trusting("two", "")
	plain.Protocol = gateway.HTTP
	mustPut(t, engine, plain)
	if got := left(); got != 0 {
		t.Errorf("%d authorities are left when nothing trusts any", got)
	}
}

func TestAuthorityOfOthersIsUsedAndStays(t *testing.T) {
	text := newAuthority(t, "theirs", true)
	server, engine := start(t)
	ask(t, server, http.MethodPost, "/ca_certificates", fmt.Sprintf(`{"cert": %q}`, text))

	mustPut(t, engine, trusting("up", text))
	must(t, engine.DeleteUpstream(t.Context(), gateway.Record{Name: "up"}))

	if got := entities(t, server, "/ca_certificates"); len(got) != 1 || got[0]["tags"] != nil {
		t.Errorf("of the authority that somebody else made there is %v", got)
	}
}

func TestAuthorityThatIsGoneOrAnotherOneIsShownAndRepaired(t *testing.T) {
	text := newAuthority(t, "ours", true)
	server, engine := start(t)
	options := []kongtest.Option{kongtest.Version("3.5.0")} // which lets others delete what is in use
	for _, option := range options {
		option(server)
	}
	mustPut(t, engine, trusting("up", text))
	path := fmt.Sprintf("/ca_certificates/%v", entities(t, server, "/ca_certificates")[0]["id"])

	for how, request := range map[string][2]string{
		"gone":    {http.MethodDelete, ""},
		"another": {http.MethodPatch, fmt.Sprintf(`{"cert": %q}`, newAuthority(t, "another", true))},
	} {
		ask(t, server, request[0], path, request[1])
		got, err := newEngine(t, Config{AdminURL: server.URL}).Upstream(t.Context(), "up")
		must(t, err)
		if !got.Altered && gateway.SameAuthorities(got.TLS.CA, text) {
			t.Errorf("%s: it does not show", how)
		}

		mustPut(t, engine, trusting("up", text))
		if got := trusted(t, server, "up"); got != text {
			t.Errorf("%s: after the repair the service trusts %q", how, got)
		}
	}
}

func TestInterruptedChangeOfAuthoritiesIsCompletedByTheNext(t *testing.T) {
	before, after := newAuthority(t, "before", true), newAuthority(t, "after", true)
	operations := map[string]struct {
		do   func(*Engine) error
		left int // authorities in the end
	}{
		"change": {func(e *Engine) error { return e.PutUpstream(t.Context(), trusting("up", after)) }, 1},
		"delete": {func(e *Engine) error { return e.DeleteUpstream(t.Context(), gateway.Record{Name: "up"}) }, 0},
	}

	for name, operation := range operations {
		for _, applied := range []bool{false, true} {
			for n := 1; ; n++ {
				server, engine := start(t)
				mustPut(t, engine, trusting("up", before))
				server.FailWrite(n, applied)
				if operation.do(engine) == nil {
					if n < 4 {
						t.Errorf("%s takes %d writes only", name, n-1)
					}

					break
				}

				if got, err := engine.Upstream(t.Context(), "up"); name == "change" && (err != nil || got.TLS.CA == after && !got.Altered) {
					must(t, err)
					if len(entities(t, server, "/ca_certificates")) > 1 {
						t.Errorf("%s, write %d, applied %t: it looks complete, and an authority is left", name, n, applied)
					}
				}
				must(t, operation.do(engine))
				if got := len(entities(t, server, "/ca_certificates")); got != operation.left {
					t.Errorf("%s, write %d, applied %t: %d authorities are left", name, n, applied, got)
				}
			}
		}
	}
}

func TestAuthoritiesThatOtherWorkspacesMayTrustStayWhereKongDoesNotGuardThem(t *testing.T) {
	for version, left := range map[string]int{"3.5.0.2": 1, "3.8.0.1": 0, "3.5.0": 0} {
		server := kongtest.New(t, kongtest.Version(version))
		engine := newEngine(t, Config{AdminURL: server.URL})
		mustPut(t, engine, trusting("up", newAuthority(t, "ours", true)))
		must(t, engine.DeleteUpstream(t.Context(), gateway.Record{Name: "up"}))

		if got := len(entities(t, server, "/ca_certificates")); got != left {
			t.Errorf("%s: %d authorities are left, wanted %d", version, got, left)
		}
	}
}

func TestWorkspacesShareAuthorities(t *testing.T) {
	text := newAuthority(t, "shared", true)
	server := kongtest.New(t, kongtest.Workspaces("team"), kongtest.Version("3.8.0.1"))
	team, others := newEngine(t, Config{AdminURL: server.URL, Workspace: "team"}), newEngine(t, Config{AdminURL: server.URL})
	mustPut(t, team, trusting("up", text))
	mustPut(t, others, trusting("up", text))

	must(t, others.DeleteUpstream(t.Context(), gateway.Record{Name: "up"}))
	if got, err := team.Upstream(t.Context(), "up"); err != nil || got.Altered || got.TLS.CA != text {
		t.Errorf("after the deletion elsewhere it reads back as %+v, %v", got, err)
	}
}

func TestCertificateThatIsNoAuthorityIsRefused(t *testing.T) {
	_, engine := start(t)

	found := engine.CheckUpstream(trusting("up", newAuthority(t, "a leaf", false)))
	if len(found) != 1 || found[0].Attribute != "tls.ca" || !strings.Contains(found[0].Reason, "a leaf") {
		t.Errorf("the check finds %v", found)
	}
}

func TestChecksDoNotVerifyAgainstWhatTheyDoNotKnow(t *testing.T) {
	server, engine := start(t)
	upstream := trusting("up", newAuthority(t, "ours", true))
	upstream.Health = &gateway.HealthCheck{Path: "/", Status: 200, Interval: time.Second, Timeout: time.Second, HealthyAfter: 1, UnhealthyAfter: 1}
	mustPut(t, engine, upstream)

	checks, _ := ask(t, server, http.MethodGet, "/upstreams/up", "")["healthchecks"].(map[string]any)
	active, _ := checks["active"].(map[string]any)
	if active["https_verify_certificate"] != false {
		t.Error("active checks verify against Kong's own authorities, so that no member is healthy")
	}
	if got, err := engine.Upstream(t.Context(), "up"); err != nil || got.Altered {
		t.Errorf("it reads back as %+v, %v", got, err)
	}
}
