package gateway_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

const (
	traefikBlock = "provider \"hypervisor\" {\n  gateway = { traefik = { ports = { 5432 = \"postgres\" } } }\n}\n"
	kongBlock    = "provider \"hypervisor\" {\n  gateway = { kong = { admin_url = \"http://127.0.0.1:1\" } }\n}\n"

	target  = `targets = { "10.0.0.1:80" = {} }`
	service = `services = { web = {} }`
	anyPath = `paths = ["/"]`
)

// wrong is one resource's arguments that must be refused, and what the error must say, the attribute's path included.
type wrong struct {
	arguments string
	says      []string
}

// refusedAll plans all resources at once, since Terraform reports all errors of a plan, and looks for each one's.
func refusedAll(t *testing.T, block, kind, rest string, all map[string]wrong) {
	t.Helper()

	config := block
	names := slices.Sorted(maps.Keys(all))

	for number, name := range names {
		config += fmt.Sprintf("resource %q \"wrong%d\" {\n  provider = hypervisor\n  name = \"wrong-%d\"\n  %s\n  %s\n}\n", kind, number, number, rest, all[name].arguments)
	}

	reported := false

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"hypervisor": providerserver.NewProtocol6WithError(provider.New("test")()),
		},
		Steps: []resource.TestStep{{Config: config, PlanOnly: true}},
		ErrorCheck: func(err error) error {
			reported = true

			// Each error ends where the next one begins.
			reports := strings.Split(regexp.MustCompile(`[\s│╷╵]+`).ReplaceAllString(err.Error(), " "), "Error: ")

			for number, name := range names {
				own := ""
				for _, report := range reports {
					if strings.Contains(report, fmt.Sprintf("%q, in resource", fmt.Sprintf("wrong%d", number))) ||
						strings.Contains(report, fmt.Sprintf("%s.wrong%d,", kind, number)) {
						own += report
					}
				}

				for _, text := range all[name].says {
					if !strings.Contains(own, text) {
						t.Errorf("%s: the plan says %q, and not %q", name, own, text)
					}
				}
			}

			return nil
		},
	})

	if !reported {
		t.Error("nothing was refused")
	}
}

func TestMalformedUpstreamsAreRefused(t *testing.T) {
	refusedAll(t, traefikBlock, "gateway_upstream", "", map[string]wrong{
		"protocol":              {target + "\n protocol = \"udp\"", []string{"protocol", `"http" "https" "tcp" "tls"`}},
		"algorithm":             {target + "\n balance = { algorithm = \"random\" }", []string{"balance.algorithm", "random"}},
		"hash_on":               {target + "\n balance = { algorithm = \"consistent_hashing\", hash_on = \"moon\" }", []string{"balance.hash_on", "moon"}},
		"hash_name":             {target + "\n balance = { algorithm = \"consistent_hashing\", hash_on = \"cookie\", hash_name = \"a b\" }", []string{"balance.hash_name", "name of a header or cookie"}},
		"health path":           {target + "\n health_check = { path = \"health\" }", []string{"health_check.path", "such as /health"}},
		"health status":         {target + "\n health_check = { status = 99 }", []string{"health_check.status", "between 200 and 599"}},
		"health interval":       {target + "\n health_check = { interval = \"1ms\" }", []string{"Duration out of range", "1ms is not from 100ms"}},
		"health timeout":        {target + "\n health_check = { timeout = \"soon\" }", []string{`"soon" is not a duration`}},
		"healthy after":         {target + "\n health_check = { healthy_after = 0 }", []string{"health_check.healthy_after", "between 1 and 255"}},
		"unhealthy after":       {target + "\n health_check = { unhealthy_after = 256 }", []string{"health_check.unhealthy_after", "between 1 and 255"}},
		"passive failures":      {target + "\n passive_health = { failures = 0 }", []string{"passive_health.failures", "between 1 and 255"}},
		"passive window":        {target + "\n passive_health = { failures = 1, window = \"2h\" }", []string{"2h0m0s is not from 1ms to 1h"}},
		"no time to connect":    {target + "\n connect_timeout = \"0s\"", []string{"Duration out of range", "0s is not from 1ms"}},
		"part of a millisecond": {target + "\n read_timeout = \"1500us\"", []string{"whole milliseconds"}},
		"write timeout":         {target + "\n write_timeout = \"-1s\"", []string{"is negative"}},
		"server name":           {target + "\n tls = { server_name = \"A_b\" }", []string{"tls.server_name", "host name in lower case"}},
		"no certificate":        {target + "\n tls = { ca = \"ca.pem\" }", []string{"Malformed certificate", "no PEM block", `file("ca.pem")`}},
		"a private key":         {target + "\n tls = { ca = \"-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\\n\" }", []string{"it holds a private key"}},
	})
}

func TestMalformedRoutesAreRefused(t *testing.T) {
	refusedAll(t, traefikBlock, "gateway_route", `upstream = "up"`, map[string]wrong{
		"protocol":           {anyPath + "\n protocol = \"udp\"", []string{"protocol", "tls_passthrough"}},
		"exact path":         {`exact_paths = ["x"]`, []string{`"x" is not a path of a route`}},
		"pattern":            {`path_patterns = ["/(x"]`, []string{"Malformed path pattern", "missing closing )"}},
		"pattern with flags": {`path_patterns = ["/(?i)x"]`, []string{"it sets flags"}},
		"pattern of one":     {`path_patterns = ["/a\\.b$"]`, []string{`Name "/a.b" in exact_paths`}},
		"pattern's begin":    {`path_patterns = ["x"]`, []string{`does not begin with "/"`}},
		"method":             {`methods = ["get"]`, []string{"methods", "method in capitals"}},
		"header name":        {`headers = { "X A" = ["1"] }`, []string{"headers", "name of a header"}},
		"host header":        {`headers = { Host = ["1"] }`, []string{"headers", "host"}},
		"header value":       {`headers = { X-A = ["~*x"] }`, []string{"not begin with '~*'"}},
		"no header values":   {`headers = { X-A = [] }`, []string{"headers", "at least 1"}},
		"server name":        {"protocol = \"tls\"\n snis = [\"*\"]", []string{"snis", "host name in lower case"}},
		"port":               {"protocol = \"tcp\"\n ports = [0]", []string{"ports", "between 1 and 65535"}},
		"priority":           {anyPath + "\n priority = 1001", []string{"priority", "between 0 and 1000"}},
		"wait url":           {anyPath + "\n wait_until_routed = { url = \"10.0.0.1:80\" }", []string{"Malformed address", "such as http://"}},
		"wait secret":        {anyPath + "\n wait_until_routed = { url = \"http://a:b@10.0.0.1:80\" }", []string{"without a user name or password"}},
		"wait host":          {anyPath + "\n wait_until_routed = { url = \"http://10.0.0.1:80\", host = \"A\" }", []string{"wait_until_routed.host", "host name"}},
		"wait status":        {anyPath + "\n wait_until_routed = { url = \"http://10.0.0.1:80\", status = 9 }", []string{"wait_until_routed.status", "between 100 and 599"}},
		"timeout":            {anyPath + "\n timeouts = { create = \"x\" }", []string{"must be a string containing a sequence of decimal numbers"}},
	})
}

func TestRouteToAMalformedNameIsRefused(t *testing.T) {
	refusedAll(t, traefikBlock, "gateway_route", anyPath, map[string]wrong{"upstream": {`upstream = "UP"`, []string{"Attribute upstream must consist"}}})
}

func TestWishesThatContradictEachOtherAreRefusedInThePlan(t *testing.T) {
	refusedAll(t, traefikBlock, "gateway_upstream", "", map[string]wrong{
		"hashing by nothing": {target + "\n balance = { algorithm = \"consistent_hashing\" }", []string{"Unable to plan gateway upstream", "needs to know by what"}},
		"hashing unasked":    {target + "\n balance = { algorithm = \"latency\", hash_on = \"address\" }", []string{`for the algorithm "consistent_hashing" only`}},
		"a cookie unnamed":   {target + "\n balance = { algorithm = \"consistent_hashing\", hash_on = \"cookie\" }", []string{"Hashing by a cookie needs its name"}},
		"a name for nothing": {target + "\n balance = { algorithm = \"consistent_hashing\", hash_on = \"address\", hash_name = \"x\" }", []string{"name of the header or cookie"}},
		"TLS over http":      {target + "\n tls = { verify = false }", []string{`The protocol "http" is not encrypted`}},
		"slow checks":        {target + "\n health_check = { interval = \"1s\", timeout = \"2s\" }", []string{"longer than the interval of 1s"}},
		"cookies of TCP":     {target + "\n protocol = \"tcp\"\n balance = { algorithm = \"consistent_hashing\", hash_on = \"path\" }", []string{"have no headers, cookies and paths"}},
	})
	refusedAll(t, traefikBlock, "gateway_route", `upstream = "up"`, map[string]wrong{
		"redirect of http":   {anyPath + "\n redirect_https = true", []string{`routes whose protocol is "https"`}},
		"strip of exact":     {"exact_paths = [\"/x\"]\n paths = [\"/y\"]\n strip_path = true", []string{"It removes prefixes"}},
		"strip of nothing":   {"hosts = [\"a.test\"]\n strip_path = true", []string{"no paths that could be removed"}},
		"port of requests":   {anyPath + "\n ports = [80]", []string{"told by their hosts and paths"}},
		"hosts of TCP":       {"hosts = [\"a.test\"]\n ports = [5432]\n protocol = \"tcp\"", []string{`Connections (protocol "tcp") have none`}},
		"names of plain TCP": {"snis = [\"a.test\"]\n ports = [5432]\n protocol = \"tcp\"", []string{"Connections without TLS name no server"}},
	})
}

func TestWhatTraefikCannotDoIsRefusedInThePlan(t *testing.T) {
	refusedAll(t, traefikBlock, "gateway_upstream", "", map[string]wrong{
		"hash by header":      {target + "\n balance = { algorithm = \"consistent_hashing\", hash_on = \"header\", hash_name = \"X-A\" }", []string{`Traefik hashes by "address" or "cookie" only`}},
		"write timeout":       {target + "\n write_timeout = \"1s\"", []string{"Traefik has no limit for writes"}},
		"thresholds":          {target + "\n health_check = { unhealthy_after = 3 }", []string{"Traefik takes the first answer"}},
		"weights of p2c":      {"targets = { \"10.0.0.1:80\" = {}, \"10.0.0.2:80\" = { weight = 1 } }\n balance = { algorithm = \"least_connections\" }", []string{"know no weights"}},
		"services' algorithm": {service + "\n balance = { algorithm = \"latency\" }", []string{"Traefik takes this of a Consul service from the service's tags", "loadbalancer.strategy"}},
		"services' checks":    {service + "\n health_check = {}", []string{"Consul checks its services by itself"}},
		"services' passive":   {service + "\n passive_health = { failures = 1 }", []string{"passivehealthcheck"}},
		"services' time":      {service + "\n connect_timeout = \"1s\"", []string{"serverstransport"}},
		"services' protocol":  {service + "\n protocol = \"https\"", []string{"server.scheme"}},
		"retries of TCP":      {target + "\n protocol = \"tcp\"\n retries = 1", []string{"for requests only"}},
		"many targets":        {`targets = { for i in range(100) : "10.0.0.1:${i + 1}" => {} }`, []string{"of Consul's keys, and 128 can be written at once", "fewer members"}},
		"weights of TCP":      {"targets = { \"10.0.0.1:80\" = { weight = 1 } }\n protocol = \"tcp\"", []string{"equal shares"}},
	})
	refusedAll(t, traefikBlock, "gateway_route", `upstream = "up"`, map[string]wrong{
		"other host":     {anyPath + "\n preserve_host = false", []string{"Traefik passes the Host header on"}},
		"SNI of https":   {"protocol = \"https\"\n snis = [\"a.test\"]", []string{"Traefik looks at the server name of connections only"}},
		"unknown port":   {"protocol = \"tcp\"\n ports = [6379]", []string{"Traefik listens on entry points", "6379"}},
		"many lengths":   {`paths = [for i in range(60) : "/${join("", [for j in range(i) : "a"])}"]`, []string{"of Consul's keys", "divide the others between several routes"}},
		"comma stripped": {"paths = [\"/a,b\"]\n strip_path = true", []string{"Traefik cannot strip a path with a comma"}},
	})
}

func TestWhatKongCannotDoIsRefusedInThePlan(t *testing.T) {
	leaf, _ := newCertificate(t, "a.test", time.Hour)

	refusedAll(t, kongBlock, "gateway_upstream", "", map[string]wrong{
		"a target like a service": {`targets = { "web.service.consul:8000" = {} }`, []string{"cannot be told from the Consul service"}},
		"passive alone":           {target + "\n passive_health = { failures = 1 }", []string{"Kong takes a member back", "Add health_check"}},
		"window":                  {target + "\n health_check = {}\n passive_health = { failures = 1, window = \"1s\" }", []string{"Kong counts failures without a window"}},
		"server name":             {target + "\n protocol = \"https\"\n tls = { server_name = \"a.test\" }", []string{"Kong asks for the name that the Host header says"}},
		"authority":               {target + fmt.Sprintf("\n protocol = \"https\"\n tls = { ca = %q }", leaf), []string{"Kong takes certificates of authorities only", "its issuer"}},
	})
	refusedAll(t, kongBlock, "gateway_route", `upstream = "up"`, map[string]wrong{
		"SNI of http":                 {"snis = [\"a.test\"]", []string{"Requests without TLS name no server"}},
		"ports of connections unread": {"protocol = \"tls_passthrough\"\n snis = [\"a.test\"]\n ports = [443]", []string{"by their server names alone"}},
		"priority":                    {anyPath + "\n priority = 1", []string{"priority", "Kong orders routes by their conditions", "more specific"}},
	})
}

func TestNothingIsRefusedThatIsNotKnownYet(t *testing.T) {
	run(t, resource.TestStep{
		Config: kongBlock + `
resource "terraform_data" "later" {}

resource "gateway_upstream" "up" {
  provider = hypervisor
  name     = "up"
  targets  = { "10.0.0.1:80" = { weight = 5 } }
  balance  = { algorithm = terraform_data.later.id, hash_on = terraform_data.later.id }
  read_timeout = terraform_data.later.id
}
`,
		PlanOnly: true, ExpectNonEmptyPlan: true,
	})
}
