package traefik_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/traefik"
)

// ask sends a request for a host through Traefik, with a user's name and password.
func (s stack) ask(ctx context.Context, host string) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.gate.URL()+"/", http.NoBody)
	if err != nil {
		return reply{}, err
	}
	request.Host = host
	request.SetBasicAuth("ann", "test")

	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}

	return reply{response.StatusCode, response.Header}, response.Body.Close()
}

// reply is what matters here of an answer.
type reply struct {
	status int
	header http.Header
}

// eventually waits until an answer is as wanted.
func (s stack) eventually(t *testing.T, host string, wanted func(reply) error) {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), convergence)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()

	for ; ; <-ticker.C {
		got, err := s.ask(ctx, host)
		if err == nil {
			err = wanted(got)
		}
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("after %s: %v", convergence, err)
		}
	}
}

func status(want int) func(reply) error {
	return func(got reply) error {
		if got.status != want {
			return fmt.Errorf("the status is %d, not %d", got.status, want)
		}

		return nil
	}
}

func header(name, want string) func(reply) error {
	return func(got reply) error {
		if value := got.header.Get(name); value != want {
			return fmt.Errorf("the header %s is %q, not %q", name, value, want)
		}

		return nil
	}
}

func middleware(name, kind string, config map[string]any) gateway.Plugin {
	return gateway.Plugin{Record: gateway.Record{Name: name}, Type: kind, Config: config}
}

// TestMiddlewaresComeAndGoUnderTrafficAndNoRequestFails attaches middlewares to routes and takes them away again.
func TestMiddlewaresComeAndGoUnderTrafficAndNoRequestFails(t *testing.T) {
	s := newStack(t)
	engine, _ := s.engine(t)
	ctx := t.Context()

	must(t, engine.PutUpstream(ctx, gateway.Upstream{Record: gateway.Record{Name: "up"}, Targets: to(backend(t, "up"))}))
	for _, name := range []string{"shop", "old"} {
		must(t, engine.PutRoute(ctx, gateway.Route{Record: gateway.Record{Name: name}, Hosts: []string{name + ".test"}, Upstream: "up"}))
	}
	s.eventually(t, "shop.test", status(http.StatusOK))

	visiting, leave := context.WithCancel(ctx)
	var crowd sync.WaitGroup
	failures := make(chan error, 1)
	crowd.Go(func() {
		for visiting.Err() == nil {
			got, err := s.ask(context.WithoutCancel(visiting), "shop.test")
			if err == nil {
				err = status(http.StatusOK)(got)
			}
			if err != nil {
				select {
				case failures <- err:
				default:
				}
			}
		}
	})

	greet := middleware("greet", "headers", map[string]any{"customResponseHeaders": map[string]any{"X-Greeting": "hello"}})
	must(t, engine.PutPlugin(ctx, greet))
	s.eventually(t, "shop.test", header("X-Greeting", "hello"))

	staff := middleware("staff", "basicAuth", map[string]any{"users": []any{"ann:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"}, "removeHeader": true})
	staff.Upstream = "up"
	must(t, engine.PutPlugin(ctx, staff))
	limit := middleware("limit", "rateLimit", map[string]any{"average": 100000.0, "burst": 100000.0, "period": "1s"})
	limit.Route = "shop"
	must(t, engine.PutPlugin(ctx, limit))
	moved := middleware("moved", "redirectRegex", map[string]any{"regex": "^.*$", "replacement": "http://shop.test/", "permanent": true})
	moved.Route = "old"
	must(t, engine.PutPlugin(ctx, moved))
	s.eventually(t, "old.test", status(http.StatusMovedPermanently))

	greet.Config["customResponseHeaders"] = map[string]any{"X-Greeting": "good day"}
	must(t, engine.PutPlugin(ctx, greet))
	s.eventually(t, "shop.test", header("X-Greeting", "good day"))

	for _, name := range []string{"moved", "limit", "staff", "greet"} {
		must(t, engine.DeletePlugin(ctx, gateway.Record{Name: name}))
	}
	s.eventually(t, "old.test", status(http.StatusOK))
	s.eventually(t, "shop.test", header("X-Greeting", ""))
	leave()
	crowd.Wait()

	select {
	case err := <-failures:
		t.Errorf("a request failed while middlewares came and went: %v", err)
	default:
	}
}

func TestRouteIsNotAlteredByMiddlewaresAndAMiddlewareKnowsThatItIsAttached(t *testing.T) {
	s := newStack(t)
	engine, client := s.engine(t)
	ctx := t.Context()

	must(t, engine.PutPlugin(ctx, middleware("every", "compress", nil)))
	must(t, engine.PutUpstream(ctx, gateway.Upstream{Record: gateway.Record{Name: "up"}, Targets: to("10.0.0.1:80")}))
	must(t, engine.PutRoute(ctx, gateway.Route{Record: gateway.Record{Name: "shop"}, Paths: []string{"/"}, StripPath: true, Upstream: "up"}))
	later := middleware("later", "addPrefix", map[string]any{"prefix": "/v1"})
	later.Route = "shop"
	must(t, engine.PutPlugin(ctx, later))

	fresh, _ := s.engine(t)
	route, err := fresh.Route(ctx, "shop")
	must(t, err)
	plugin, err := fresh.Plugin(ctx, "later")
	must(t, err)
	if route.Altered || plugin.Altered || plugin.Route != "shop" || plugin.Config["prefix"] != "/v1" {
		t.Errorf("they read back as %+v and %+v", route, plugin)
	}

	const list = "traefik/http/routers/shop/middlewares"
	keys, err := client.Keys(ctx, list)
	must(t, err)
	if got := keys[list].Value; got != "every,later,shop~strip,up~retry" {
		t.Errorf("requests pass through %q", got)
	}

	_, err = client.WriteKeys(ctx, []catalog.KeyChange{{Path: list, Value: "up~retry"}})
	must(t, err)
	fresh, _ = s.engine(t)
	if plugin, err = fresh.Plugin(ctx, "later"); err != nil || !plugin.Altered {
		t.Errorf("a middleware that was taken out of its route reads back as %+v, %v", plugin, err)
	}
	must(t, fresh.PutPlugin(ctx, later))
	if plugin, err = fresh.Plugin(ctx, "later"); err != nil || plugin.Altered {
		t.Errorf("after it was put again it reads back as %+v, %v", plugin, err)
	}
}

func TestMiddlewareIsCheckedByWhatTraefikKnows(t *testing.T) {
	engine := traefik.New(traefik.Config{KeyPrefix: "traefik"}, nil)

	for name, test := range map[string]struct {
		plugin gateway.Plugin
		want   string // attribute and the beginning of the reason, none if it is taken
	}{
		"a good one":        {middleware("a", "ipAllowList", map[string]any{"sourceRange": []any{"10.0.0.0/8"}}), ""},
		"an unknown type":   {middleware("a", "rate-limiting", nil), `type: Traefik has no middleware of the type "rate-limiting"`},
		"an unknown word":   {middleware("a", "rateLimit", map[string]any{"average": 1.0, "minute": 1.0}), "config.minute: There is no such setting"},
		"a missing word":    {middleware("a", "rateLimit", map[string]any{"burst": 1.0}), "config: The middleware rateLimit needs a value for average"},
		"a wrong kind":      {middleware("a", "rateLimit", map[string]any{"average": "many"}), "config.average: Write a whole number"},
		"a deep mistake":    {middleware("a", "rateLimit", map[string]any{"average": 1.0, "sourceCriterion": map[string]any{"ipStrategy": map[string]any{"depth": true}}}), "config.sourceCriterion.ipStrategy.depth: Write a whole number"},
		"a bad address":     {middleware("a", "ipAllowList", map[string]any{"sourceRange": []any{"home"}}), "config.sourceRange: Element 0"},
		"a bad pattern":     {middleware("a", "replacePathRegex", map[string]any{"regex": "(", "replacement": "/"}), "config.regex: Write a regular expression"},
		"a bad duration":    {middleware("a", "rateLimit", map[string]any{"average": 1.0, "period": "soon"}), "config.period: Write a duration"},
		"for a consumer":    {gateway.Plugin{Type: "compress", Consumer: "ann"}, "consumer: Traefik has no consumers"},
		"a slash in a name": {middleware("a", "headers", map[string]any{"customRequestHeaders": map[string]any{"a/b": "c"}}), "config.customRequestHeaders.a/b: Write texts"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := engine.CheckPlugin(t.Context(), test.plugin, true)
			must(t, err)

			var said []string
			for _, one := range found {
				said = append(said, one.Attribute+": "+one.Reason)
			}
			if test.want == "" && len(said) > 0 || !strings.Contains(strings.Join(said, "\n"), test.want) {
				t.Errorf("it says %q, want %q", said, test.want)
			}
		})
	}
}

func TestTraefikSaysWhyItTakesNoConsumersAndCertificates(t *testing.T) {
	engine := traefik.New(traefik.Config{KeyPrefix: "traefik"}, nil)

	for want, err := range map[string]error{
		"basicAuth":    engine.PutConsumer(t.Context(), gateway.Consumer{}),
		"in the clear": engine.PutCertificate(t.Context(), gateway.Certificate{}),
	} {
		if err == nil || !strings.Contains(err.Error(), "Traefik cannot do this") || !strings.Contains(err.Error(), want) {
			t.Errorf("it says %v, which does not mention %q", err, want)
		}
	}

	if _, err := engine.Consumer(t.Context(), "ann"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("reading a consumer gives %v", err)
	}
}
