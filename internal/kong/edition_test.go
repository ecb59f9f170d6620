package kong

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
)

func TestKongThatCannotBeConfiguredIsRefusedWithTheReason(t *testing.T) {
	tests := map[string]struct {
		options []kongtest.Option
		want    []string // none if it is taken
	}{
		"3.9 with the traditional router":         {nil, nil},
		"3.4 with the traditional router":         {[]kongtest.Option{kongtest.Version("3.4.2")}, nil},
		"3.9 with the router of expressions":      {[]kongtest.Option{kongtest.Expressions()}, nil},
		"3.8 Enterprise":                          {[]kongtest.Option{kongtest.Version("3.8.0.1")}, nil},
		"3.6 with the router of expressions":      {[]kongtest.Option{kongtest.Expressions(), kongtest.Version("3.6.1")}, []string{"Kong 3.6.1", "traditional_compatible"}},
		"3.3":                                     {[]kongtest.Option{kongtest.Version("3.3.1")}, []string{"Kong 3.3.1", "Upgrade"}},
		"2.8":                                     {[]kongtest.Option{kongtest.Version("2.8.5.0")}, []string{"Kong 2.8.5.0", "Upgrade"}},
		"3.9 without a database":                  {[]kongtest.Option{kongtest.WithoutDatabase()}, []string{"without a database", "database = postgres"}},
		"a version in words that nobody can read": {[]kongtest.Option{kongtest.Version("nightly")}, nil},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			engine := newEngine(t, Config{AdminURL: kongtest.New(t, test.options...).URL})

			err := engine.Supported(t.Context())
			if test.want == nil && err != nil {
				t.Errorf("it is refused: %v", err)
			}
			if test.want != nil {
				wantError(t, err, test.want...)
			}
		})
	}
}

func TestRoutesWorkOnTheRouterOfExpressions(t *testing.T) {
	engine := newEngine(t, Config{AdminURL: kongtest.New(t, kongtest.Expressions()).URL})
	route := gateway.Route{Record: gateway.Record{Name: "shop"}, Protocol: gateway.HTTP, Hosts: []string{"shop.test"}, Paths: []string{"/"}, Upstream: "up"}
	mustPut(t, engine, gateway.Upstream{Record: gateway.Record{Name: "up"}, Targets: map[string]gateway.Member{"10.0.0.1:80": {Weight: 1}}}, route)

	got, err := engine.Route(t.Context(), "shop")
	must(t, err)
	if got.Altered || len(got.Hosts) != 1 || got.Hosts[0] != "shop.test" {
		t.Errorf("the route reads back as %+v", got)
	}
}

func TestWorkspaceKeepsItsObjectsApart(t *testing.T) {
	server := kongtest.New(t, kongtest.Workspaces("team"))
	team, others := newEngine(t, Config{AdminURL: server.URL, Workspace: "team"}), newEngine(t, Config{AdminURL: server.URL})
	plugin := gateway.Plugin{Record: gateway.Record{Name: "limit"}, Type: "rate-limiting", Config: map[string]any{"minute": 5.0}}

	must(t, team.PutPlugin(t.Context(), plugin))
	if got, err := team.Plugin(t.Context(), "limit"); err != nil || got.Config["minute"] != 5.0 {
		t.Errorf("in its workspace the plugin reads back as %+v, %v", got, err)
	}
	if _, err := others.Plugin(t.Context(), "limit"); err == nil {
		t.Error("the plugin is in the default workspace, too")
	}
}

func TestWorkspaceThatIsNotThereHidesNothing(t *testing.T) {
	for name, options := range map[string][]kongtest.Option{"open source": nil, "Enterprise": {kongtest.Workspaces("team")}} {
		t.Run(name, func(t *testing.T) {
			engine := newEngine(t, Config{AdminURL: kongtest.New(t, options...).URL, Workspace: "tema"})

			_, err := engine.Plugin(t.Context(), "limit")
			wantError(t, err, `no workspace "tema"`, "Enterprise")
		})
	}
}

func TestTokenIsReadFromAFile(t *testing.T) {
	server := kongtest.New(t)
	server.RequireToken("right")
	file := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(file, []byte("right\n"), 0o600))

	if _, err := newEngine(t, Config{AdminURL: server.URL, TokenFile: file}).Plugins(t.Context()); err != nil {
		t.Errorf("with the token of the file: %v", err)
	}

	_, err := New(Config{AdminURL: server.URL, TokenFile: file + "x"})
	wantError(t, err, "token_file", "no such file")
}

func TestCredentialThatKongRefusesIsNotRepeated(t *testing.T) {
	_, engine := start(t)
	consumer := func(name, key string) gateway.Consumer {
		return gateway.Consumer{Record: gateway.Record{Name: name}, Credentials: []gateway.Credential{{Kind: gateway.KeyAuth, Name: "k", Secret: key, Version: 1}}}
	}
	must(t, engine.PutConsumer(t.Context(), consumer("ann", "hunter2")))

	err := engine.PutConsumer(t.Context(), consumer("bob", "hunter2"))
	wantError(t, err, `keys["k"]`, "already")
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error repeats the secret: %v", err)
	}
}

func TestInterruptedConsumerIsCompletedByTheNextPut(t *testing.T) {
	wanted := gateway.Consumer{
		Record: gateway.Record{Name: "ann"}, Groups: []string{"gold", "staff"},
		Credentials: []gateway.Credential{
			{Kind: gateway.BasicAuth, Name: "ann", Secret: "hunter2", Version: 1}, {Kind: gateway.KeyAuth, Name: "k", Secret: "key", Version: 1},
		},
	}

	const steps = 5 // the consumer, two groups and two credentials
	for step := 1; step <= steps; step++ {
		for _, applied := range []bool{false, true} {
			server, engine := start(t)
			server.FailWrite(step, applied)
			if err := engine.PutConsumer(t.Context(), wanted); err == nil {
				t.Fatalf("step %d, applied %t: the put succeeds", step, applied)
			}
			must(t, engine.PutConsumer(t.Context(), wanted))

			got, err := engine.Consumer(t.Context(), "ann")
			must(t, err)
			if len(got.Groups) != 2 || len(got.Credentials) != 2 {
				t.Errorf("step %d, applied %t: after the second put there is %+v", step, applied, got)
			}
		}
	}
}

func TestWhatOthersMadeIsNeitherChangedNorDeleted(t *testing.T) {
	server, engine := start(t)
	ask(t, server, "PUT", "/plugins/limit", `{"name": "rate-limiting", "config": {"minute": 1}}`)
	ask(t, server, "PUT", "/consumers/ann", `{}`)

	foreign := gateway.Record{Name: "limit"}
	wantError(t, engine.PutPlugin(t.Context(), gateway.Plugin{Record: foreign, Type: "rate-limiting", Config: map[string]any{"minute": 2.0}}), "not made by this provider")
	wantError(t, engine.DeletePlugin(t.Context(), foreign), "not made by this provider")
	wantError(t, engine.PutConsumer(t.Context(), gateway.Consumer{Record: gateway.Record{Name: "ann"}}), "not made by this provider")
	wantError(t, engine.DeleteConsumer(t.Context(), gateway.Record{Name: "ann"}), "not made by this provider")

	imported := gateway.Record{Name: "limit", Foreign: true}
	must(t, engine.PutPlugin(t.Context(), gateway.Plugin{Record: imported, Type: "rate-limiting", Config: map[string]any{"minute": 2.0}}))
	if got, err := engine.Plugin(t.Context(), "limit"); err != nil || got.Foreign || got.Config["minute"] != 2.0 {
		t.Errorf("the imported plugin is now %+v, %v", got, err)
	}
}

func TestSecondPluginOfAScopeIsExplained(t *testing.T) {
	_, engine := start(t)
	plugin := gateway.Plugin{Record: gateway.Record{Name: "one"}, Type: "cors"}
	must(t, engine.PutPlugin(t.Context(), plugin))

	plugin.Name = "two"
	wantError(t, engine.PutPlugin(t.Context(), plugin), "cors plugin for the same", "instance_name")
}

func TestPluginIsJudgedByKongsSchema(t *testing.T) {
	server, engine := start(t)
	plugin := gateway.Plugin{
		Record: gateway.Record{Name: "limit"}, Type: "rate-limiting", Consumer: "ann",
		Config: map[string]any{"policy": "zz", "redis": map[string]any{"port": 99999.0}},
	}

	found, err := engine.CheckPlugin(t.Context(), plugin, true)
	must(t, err)
	var attributes []string
	for _, one := range found {
		attributes = append(attributes, one.Attribute)
	}
	if got := strings.Join(attributes, " "); got != "config config.policy config.redis.port" {
		t.Errorf("Kong finds fault with %q", got)
	}

	partly, err := engine.CheckPlugin(t.Context(), plugin, false)
	must(t, err)
	if len(partly) != 2 {
		t.Errorf("of a configuration that is not whole, Kong finds fault with %v", partly)
	}
	if made := writes(server); len(made) > 2 { // both of them questions
		t.Errorf("the check writes: %v", made)
	}
}
