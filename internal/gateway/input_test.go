package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

func TestMalformedInputIsRefusedInThePlan(t *testing.T) {
	const (
		members = `targets = { "10.0.0.1:80" = {} }`
		paths   = `paths = ["/"]`
	)

	tests := map[string]struct {
		upstream, route string
		want            []string // in this order
	}{
		"neither hosts nor paths":      {members, ``, []string{"At least one", "hosts,paths"}},
		"both services and targets":    {members + "\n  services = { blue = {} }", paths, []string{"services,targets"}},
		"neither services nor targets": {``, paths, []string{"services,targets"}},
		"no members":                   {`services = {}`, paths, []string{"services", "at least 1"}},
		"target without a port":        {`targets = { "10.0.0.1" = {} }`, paths, []string{`"10.0.0.1" is not a target: missing port in address`, "10.0.0.101:80"}},
		"target with port 0":           {`targets = { "10.0.0.1:0" = {} }`, paths, []string{`the port "0" is not a number from 1 to 65535`}},
		"target with a scheme":         {`targets = { "http://10.0.0.1:80" = {} }`, paths, []string{"Malformed target"}},
		"target not canonical":         {`targets = { "[FD00:0::1]:80" = {} }`, paths, []string{`is written "fd00::1"`}},
		"service that Traefik renames": {`services = { "blue_1" = {} }`, paths, []string{`services["blue_1"]`, "letters and digits"}},
		"negative weight":              {`services = { blue = { weight = -1 } }`, paths, []string{`services["blue"].weight`, "between 0 and 65535"}},
		"too many retries":             {members + "\n  retries = 11", paths, []string{"retries", "between 0 and 10"}},
		"path without a slash":         {members, `paths = ["shop"]`, []string{`"shop" is not a path of a route: it does not begin with "/"`, `Write a path such as`}},
		"path with a backtick":         {members, "paths = [\"/`\"]", []string{"Malformed path", "other than letters"}},
		"path with dots":               {members, `paths = ["/a/../b"]`, []string{"Malformed path", "empty segment"}},
		"host with a port":             {members, `hosts = ["shop.test:80"]`, []string{`hosts[Value("shop.test:80")]`, "host name in lower case"}},
		"host with a quote":            {members, "hosts = [\"a`) || Host(`b\"]", []string{"host name in lower case"}},
		"no hosts":                     {members, `hosts = []`, []string{"hosts", "at least 1"}},
	}

	block := "provider \"hypervisor\" {\n  gateway = { traefik = {} }\n}\n"

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			run(t, resource.TestStep{Config: block + hcl(test.upstream, test.route), PlanOnly: true, ExpectError: message(test.want...)})
		})
	}
}

func TestMalformedNamesAreRefusedInThePlan(t *testing.T) {
	for _, name := range []string{"Shop", "8080", "a/b", "a@b", "a~1", "", strings.Repeat("a", 101)} {
		t.Run(name, func(t *testing.T) {
			run(t, resource.TestStep{
				Config: fmt.Sprintf("provider \"hypervisor\" {\n  gateway = { traefik = {} }\n}\n"+
					"resource \"gateway_upstream\" \"up\" {\n  provider = hypervisor\n  name = %q\n  services = { blue = {} }\n}\n", name),
				PlanOnly:    true,
				ExpectError: regexp.MustCompile(`Attribute name (must\s+consist|string\s+length)`),
			})
		})
	}
}

func TestProviderBlockWithoutAGatewayIsNamedInThePlan(t *testing.T) {
	run(t, resource.TestStep{
		Config:      "provider \"hypervisor\" {}\n" + hcl(`services = { blue = {} }`, `paths = ["/"]`),
		PlanOnly:    true,
		ExpectError: message(`Unable to plan gateway upstream "up"`, "names no gateway", "gateway = { traefik = {} }"),
	})
}

func TestGatewayThatCannotBeReachedIsNamed(t *testing.T) {
	address := closedPort(t)

	for name, block := range map[string]string{
		"Traefik, whose Consul is down": fmt.Sprintf("provider \"hypervisor\" {\n  consul = { address = \"http://%s\", timeout = \"1s\" }\n  gateway = { traefik = {} }\n}\n", address),
		"Kong":                          fmt.Sprintf("provider \"hypervisor\" {\n  gateway = { kong = { admin_url = \"http://%s\" } }\n}\n", address),
	} {
		t.Run(name, func(t *testing.T) {
			run(t, resource.TestStep{
				Config:      block + hcl(`services = { blue = {} }`, `paths = ["/"]`),
				ExpectError: message(`Unable to create gateway upstream "up"`, address, "connection refused", "Check"),
			})
		})
	}
}

func TestStateIsKeptWhileTheGatewayCannotBeReached(t *testing.T) {
	s := newStack(t)
	config := hcl(`services = { blue = {} }`, `paths = ["/"]`)
	away := fmt.Sprintf("provider \"hypervisor\" {\n  consul = { address = \"http://%s\" }\n  gateway = { traefik = {} }\n}\n", closedPort(t))

	run(t,
		resource.TestStep{Config: s.block + config},
		resource.TestStep{Config: away + config, ExpectError: message(`Unable to read gateway upstream "up"`, "connection refused", "Check consul.address")},
		resource.TestStep{Config: s.block + config, PlanOnly: true},
	)
}

// closedPort returns an address of the loopback on which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()

	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()

	return server.Listener.Addr().String()
}

// message matches texts in this order, wherever Terraform breaks the lines between their words.
func message(texts ...string) *regexp.Regexp {
	patterns := make([]string, 0, len(texts))

	for _, text := range texts {
		patterns = append(patterns, strings.ReplaceAll(regexp.QuoteMeta(text), " ", `\s+`))
	}

	return regexp.MustCompile(`(?s)` + strings.Join(patterns, `.*`))
}
