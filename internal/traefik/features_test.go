package traefik_test

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/google/go-cmp/cmp"
)

func TestFeaturesOnRealTraefik(t *testing.T) {
	s := newStack(t)

	t.Run("RequestsAreToldByAllConditions", s.requestsAreToldByAllConditions)
	t.Run("PathIsStripped", s.pathIsStripped)
	t.Run("UnencryptedRequestsAreRedirected", s.unencryptedRequestsAreRedirected)
	t.Run("ConnectionsAreToldByPortAndServerName", s.connectionsAreRouted)
	t.Run("MemberThatFailsItsCheckReceivesNothing", s.failingMemberReceivesNothing)
	t.Run("MembersAreVerifiedByTheGivenAuthority", s.membersAreVerified)
	t.Run("ClientsStayWithTheirMember", s.clientsStay)
	t.Run("KeysOfOthersAreLeftAlone", s.othersAreLeftAlone)
	t.Run("TraefikThatStartsLaterHasTheSameRoutes", s.laterTraefikHasTheSameRoutes)
}

// route puts an upstream of one target and a route to it, both of the route's name, and returns nothing until both are
// written.
func (s stack) route(t *testing.T, target string, route gateway.Route) {
	t.Helper()

	engine, _ := s.engine(t)
	route.Upstream = route.Name
	must(t, engine.PutUpstream(t.Context(), gateway.Upstream{Record: route.Record, Targets: to(target), Retries: gateway.Unsaid}))
	must(t, engine.PutRoute(t.Context(), route))
}

// asks sends a request and wants the body of an answer, once the gateway gives it.
func (s stack) asks(t *testing.T, request *http.Request, want string) {
	t.Helper()

	eventually(t, func() error {
		status, body, err := s.send(request.Clone(t.Context()))
		if err == nil && body != want {
			err = fmt.Errorf("%s %s answers %d %q, want %q", request.Method, request.URL, status, body, want)
		}

		return err
	})
}

func (s stack) request(t *testing.T, host, path string, headers ...string) *http.Request {
	t.Helper()

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.gate.URL()+path, http.NoBody)
	must(t, err)

	request.Host = host
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}

	return request
}

func (s stack) requestsAreToldByAllConditions(t *testing.T) {
	const host = "told.test"

	for name, route := range map[string]gateway.Route{
		"told":         {Paths: []string{"/"}},
		"told-exact":   {ExactPaths: []string{"/exact"}},
		"told-pattern": {PathPatterns: []string{"/v[0-9]+/|/w"}},
		"told-method":  {Methods: []string{"PUT", "PATCH"}},
		"told-header":  {Headers: map[string][]string{"X-Canary": {"yes", "a.b"}}, Paths: []string{"/"}},
	} {
		route.Name, route.Hosts = name, []string{host}
		s.route(t, backend(t, name), route)
	}

	for _, test := range []struct {
		request *http.Request
		want    string
	}{
		{s.request(t, host, "/exact"), "told-exact"},
		{s.request(t, host, "/exact/not"), "told"},
		{s.request(t, host, "/v12/x"), "told-pattern"},
		{s.request(t, host, "/x/v12/"), "told"},
		{s.request(t, host, "/wide"), "told-pattern"},
		{s.request(t, host, "/any", "X-Canary", "YES"), "told-header"},
		{s.request(t, host, "/any", "X-Canary", "a.b"), "told-header"},
		{s.request(t, host, "/any", "X-Canary", "axb"), "told"},
		{s.request(t, host, "/any", "X-Canary", "yes!"), "told"},
	} {
		s.asks(t, test.request, test.want)
	}
}

func (s stack) pathIsStripped(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }))
	t.Cleanup(echo.Close)

	s.route(t, echo.Listener.Addr().String(), gateway.Route{
		Record: gateway.Record{Name: "strip"}, Hosts: []string{"strip.test"}, Paths: []string{"/api", "/api/deep"}, StripPath: true,
	})

	for path, want := range map[string]string{"/api/x": "/x", "/api/deep/x": "/x", "/api": "/", "/apix": "/x"} {
		s.asks(t, s.request(t, "strip.test", path), want)
	}
}

func (s stack) unencryptedRequestsAreRedirected(t *testing.T) {
	s.route(t, backend(t, "secure"), gateway.Route{
		Record: gateway.Record{Name: "secure"}, Protocol: gateway.HTTPS, RedirectHTTPS: true, Hosts: []string{"secure.test"},
	})

	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

	eventually(t, func() error {
		response, err := client.Do(s.request(t, "secure.test", "/x"))
		if err != nil {
			return err
		}
		defer response.Body.Close()

		if got := response.Header.Get("Location"); !strings.HasPrefix(got, "https://secure.test") {
			return fmt.Errorf("the answer is %s to %q", response.Status, got)
		}

		return nil
	})

	encrypted := s.request(t, "secure.test", "/x")
	encrypted.URL.Scheme, encrypted.URL.Host = "https", s.gate.Secure()
	s.asks(t, encrypted, "secure")
}

// greeter answers every connection with a line.
func greeter(t *testing.T, line string) (address string) {
	t.Helper()

	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { listener.Close() })

	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}

			fmt.Fprintln(connection, line)
			connection.Close()
		}
	}()

	return listener.Addr().String()
}

func (s stack) connectionsAreRouted(t *testing.T) {
	engine, _ := s.engine(t)
	streams := func(name string, route gateway.Route) {
		target := map[string]gateway.Member{greeter(t, name): {Weight: gateway.DefaultWeight}}
		route.Name, route.Upstream = name, name
		must(t, engine.PutUpstream(t.Context(), gateway.Upstream{Record: route.Record, Protocol: gateway.TCP, Targets: target, Retries: gateway.Unsaid}))
		must(t, engine.PutRoute(t.Context(), route))
	}

	streams("plain", gateway.Route{Protocol: gateway.TCP, Ports: []int{s.gate.StreamPort()}})
	streams("named", gateway.Route{Protocol: gateway.TLS, SNIs: []string{"named.test"}})

	greets := func(want string, dial func() (net.Conn, error)) {
		eventually(t, func() error {
			connection, err := dial()
			if err != nil {
				return err
			}
			defer connection.Close()

			// A connection that came before its route waits for Traefik to learn what it is.
			must(t, connection.SetReadDeadline(time.Now().Add(time.Second)))

			line, err := bufio.NewReader(connection).ReadString('\n')
			if err == nil && line != want+"\n" {
				err = fmt.Errorf("the connection says %q, want %q", line, want)
			}

			return err
		})
	}

	greets("plain", func() (net.Conn, error) {
		return new(net.Dialer).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", s.gate.StreamPort()))
	})
	greets("named", func() (net.Conn, error) {
		dialer := tls.Dialer{Config: &tls.Config{ServerName: "named.test", InsecureSkipVerify: true}}

		return dialer.DialContext(t.Context(), "tcp", s.gate.Secure())
	})

	got, err := engine.Route(t.Context(), "plain")
	must(t, err)

	if diff := cmp.Diff([]int{s.gate.StreamPort()}, got.Ports); diff != "" {
		t.Errorf("ports differ (-put +read):\n%s", diff)
	}
}

func (s stack) failingMemberReceivesNothing(t *testing.T) {
	sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprint(w, "sick")
	}))
	t.Cleanup(sick.Close)

	engine, _ := s.engine(t)
	must(t, engine.PutUpstream(t.Context(), gateway.Upstream{
		Record: gateway.Record{Name: "check"}, Targets: map[string]gateway.Member{sick.Listener.Addr().String(): {Weight: 1}, backend(t, "well"): {Weight: 1}},
		Health: &gateway.HealthCheck{Path: "/health", Status: http.StatusOK, Interval: 100 * time.Millisecond, Timeout: 90 * time.Millisecond},
	}))
	must(t, engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "check"}, Hosts: []string{"check.test"}, Upstream: "check"}))

	eventually(t, func() error {
		for range 10 {
			_, body, err := s.get(t.Context(), "check.test", "/")
			if err != nil {
				return err
			}

			if body != "well" {
				return fmt.Errorf("%q answers", body)
			}
		}

		return nil
	})
}

func (s stack) membersAreVerified(t *testing.T) {
	encrypted := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "encrypted") }))
	t.Cleanup(encrypted.Close)

	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: encrypted.Certificate().Raw}))
	engine, _ := s.engine(t)
	upstream := gateway.Upstream{
		Record: gateway.Record{Name: "tls"}, Protocol: gateway.HTTPS, Targets: to(encrypted.Listener.Addr().String()),
		TLS: gateway.TLSClient{ServerName: "example.com", CA: authority},
	}

	must(t, engine.PutUpstream(t.Context(), upstream))
	must(t, engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: "tls"}, Hosts: []string{"tls.test"}, Upstream: "tls"}))
	s.answers(t, "tls.test", "/", http.StatusOK, "encrypted")

	upstream.TLS.ServerName = "elsewhere.test"
	must(t, engine.PutUpstream(t.Context(), upstream))
	s.answers(t, "tls.test", "/", http.StatusInternalServerError, "Internal Server Error")
}

func (s stack) clientsStay(t *testing.T) {
	engine, _ := s.engine(t)
	targets := map[string]gateway.Member{}

	for number := range 4 {
		targets[backend(t, fmt.Sprint(number))] = gateway.Member{Weight: gateway.DefaultWeight}
	}

	for name, balance := range map[string]gateway.Balance{
		"stay-address": {Algorithm: gateway.ConsistentHashing, HashOn: gateway.ByAddress},
		"stay-cookie":  {Algorithm: gateway.ConsistentHashing, HashOn: gateway.ByCookie, HashName: "stay"},
		"stay-not":     {Algorithm: gateway.LeastConnections},
		"stay-fast":    {Algorithm: gateway.Latency},
	} {
		must(t, engine.PutUpstream(t.Context(), gateway.Upstream{Record: gateway.Record{Name: name}, Targets: targets, Balance: balance}))
		must(t, engine.PutRoute(t.Context(), gateway.Route{Record: gateway.Record{Name: name}, Hosts: []string{name + ".test"}, Upstream: name}))

		var cookies []*http.Cookie

		seen := map[string]int{}

		eventually(t, func() error {
			status, _, err := s.get(t.Context(), name+".test", "/")
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("%s answers %d", name, status)
			}

			return err
		})

		for range 40 {
			request := s.request(t, name+".test", "/")
			for _, cookie := range cookies {
				request.AddCookie(cookie)
			}

			response, err := http.DefaultClient.Do(request)
			must(t, err)

			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			must(t, err)

			if len(response.Cookies()) > 0 {
				cookies = response.Cookies()
			}

			seen[string(body)]++
		}

		if stays := len(seen) == 1; stays != (balance.Algorithm == gateway.ConsistentHashing) && balance.Algorithm != gateway.Latency {
			t.Errorf("%s: a client was answered by %v", name, seen)
		}

		if balance.HashOn == gateway.ByCookie && (len(cookies) != 1 || cookies[0].Name != "stay") {
			t.Errorf("%s: the cookies are %v", name, cookies)
		}
	}
}

func (s stack) othersAreLeftAlone(t *testing.T) {
	engine, client := s.engine(t)
	foreign := map[string]string{
		"traefik/http/routers/foreign/rule":                               "Host(`foreign.test`)",
		"traefik/http/routers/foreign/service":                            "foreign",
		"traefik/http/services/foreign/loadBalancer/servers/0/url":        "http://" + backend(t, "foreign"),
		"traefik/http/middlewares/foreign/headers/customRequestHeaders/a": "b",
	}

	var changes []catalog.KeyChange
	for path, value := range foreign {
		changes = append(changes, catalog.KeyChange{Path: path, Value: value})
	}

	_, err := client.WriteKeys(t.Context(), changes)
	must(t, err)
	s.answers(t, "foreign.test", "/", http.StatusOK, "foreign")

	record := gateway.Record{Name: "foreign"}
	refused := func(err error) {
		t.Helper()

		if err == nil || !strings.Contains(err.Error(), "not made by this provider") {
			t.Errorf("changing what somebody else made gives %v", err)
		}
	}

	s.route(t, backend(t, "ours"), gateway.Route{Record: gateway.Record{Name: "ours"}, Hosts: []string{"ours.test"}})

	fresh, _ := s.engine(t)
	refused(fresh.PutUpstream(t.Context(), gateway.Upstream{Record: record, Targets: to("10.0.0.1:80")}))
	refused(fresh.DeleteRoute(t.Context(), record))
	refused(fresh.DeleteUpstream(t.Context(), record))
	must(t, fresh.DeleteRoute(t.Context(), gateway.Record{Name: "ours"}))

	stored, err := client.Keys(t.Context(), "traefik/")
	must(t, err)
	maps.DeleteFunc(stored, func(path string, _ catalog.Key) bool { return !strings.Contains(path, "/foreign/") })

	for path, value := range foreign {
		if stored[path].Value != value {
			t.Errorf("the key %s is %q, and was %q", path, stored[path].Value, value)
		}
	}

	if len(stored) != len(foreign) {
		t.Errorf("the keys %q are there", slices.Sorted(maps.Keys(stored)))
	}

	if read, err := engine.Route(t.Context(), "foreign"); err != nil || !read.Foreign || read.Altered {
		t.Errorf("the route reads as %+v (%v)", read, err)
	}

	record.Foreign = true // its user has imported it
	importing, _ := s.engine(t)
	must(t, importing.DeleteRoute(t.Context(), record))
	must(t, importing.DeleteUpstream(t.Context(), record))
}
