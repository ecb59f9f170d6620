package traefik

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// middleware is a type of Traefik's HTTP middlewares (Traefik 3).
type middleware struct {
	// rank orders middlewares whatever their names: who may not pass is turned away before anything is spent on the request,
	// and what rewrites it comes last.
	rank  int
	needs [][]string // of each of these, at least one
	setting
}

func of(fields map[string]setting) setting { return setting{kind: group, fields: fields} }

func is(kind settingKind) setting { return setting{kind: kind} }

func ipStrategy() setting {
	return of(map[string]setting{"depth": is(number), "excludedIPs": is(networks), "ipv6Subnet": is(number)})
}

func sourceCriterion() setting {
	return of(map[string]setting{"ipStrategy": ipStrategy(), "requestHeaderName": is(text), "requestHost": is(truth)})
}

func userList() map[string]setting {
	return map[string]setting{
		"users": is(list), "usersFile": is(text), "realm": is(text), "removeHeader": is(truth), "headerField": is(text),
	}
}

var anyUsers = [][]string{{"users", "usersFile"}}

// middlewares are the types that there are. Chains are left out, since lists of routes are composed here, and retries,
// which belong to upstreams.
var middlewares = map[string]middleware{
	"redirectScheme": {0, [][]string{{"scheme"}}, of(map[string]setting{"scheme": is(text), "port": is(text), "permanent": is(truth)})},
	"redirectRegex":  {0, [][]string{{"regex"}, {"replacement"}}, of(map[string]setting{"regex": is(pattern), "replacement": is(text), "permanent": is(truth)})},
	"ipAllowList": {10, [][]string{{"sourceRange"}}, of(map[string]setting{
		"sourceRange": is(networks), "ipStrategy": ipStrategy(), "rejectStatusCode": is(number),
	})},
	"inFlightReq": {20, [][]string{{"amount"}}, of(map[string]setting{"amount": is(number), "sourceCriterion": sourceCriterion()})},
	"rateLimit": {20, [][]string{{"average"}}, of(map[string]setting{
		"average": is(number), "period": is(duration), "burst": is(number), "sourceCriterion": sourceCriterion(),
	})},
	"basicAuth":  {30, anyUsers, of(userList())},
	"digestAuth": {30, anyUsers, of(userList())},
	"forwardAuth": {30, [][]string{{"address"}}, of(map[string]setting{
		"address": is(text), "trustForwardHeader": is(truth), "authResponseHeaders": is(list), "authResponseHeadersRegex": is(pattern),
		"authRequestHeaders": is(list), "addAuthCookiesToResponse": is(list), "headerField": is(text), "forwardBody": is(truth),
		"maxBodySize": is(number), "preserveLocationHeader": is(truth), "preserveRequestMethod": is(truth),
		"tls": of(map[string]setting{"ca": is(text), "cert": is(text), "key": is(text), "insecureSkipVerify": is(truth)}),
	})},
	"passTLSClientCert": {40, [][]string{{"pem", "info"}}, of(map[string]setting{"pem": is(truth), "info": of(map[string]setting{
		"notAfter": is(truth), "notBefore": is(truth), "sans": is(truth), "serialNumber": is(truth),
	})})},
	"headers": {50, [][]string{slices.Sorted(maps.Keys(headerSettings()))}, of(headerSettings())},
	"buffering": {60, nil, of(map[string]setting{
		"maxRequestBodyBytes": is(number), "memRequestBodyBytes": is(number), "maxResponseBodyBytes": is(number),
		"memResponseBodyBytes": is(number), "retryExpression": is(text),
	})},
	"circuitBreaker": {60, [][]string{{"expression"}}, of(map[string]setting{
		"expression": is(text), "checkPeriod": is(duration), "fallbackDuration": is(duration), "recoveryDuration": is(duration), "responseCode": is(number),
	})},
	"compress": {60, nil, of(map[string]setting{
		"excludedContentTypes": is(list), "includedContentTypes": is(list), "minResponseBodyBytes": is(number),
		"encodings": is(list), "defaultEncoding": is(text),
	})},
	"contentType": {60, nil, of(nil)},
	"errors":      {60, [][]string{{"service"}, {"status"}}, of(map[string]setting{"status": is(list), "service": is(text), "query": is(text)})},
	"grpcWeb":     {60, [][]string{{"allowOrigins"}}, of(map[string]setting{"allowOrigins": is(list)})},

	"addPrefix":        {70, [][]string{{"prefix"}}, of(map[string]setting{"prefix": is(text)})},
	"replacePath":      {70, [][]string{{"path"}}, of(map[string]setting{"path": is(text)})},
	"replacePathRegex": {70, [][]string{{"regex"}, {"replacement"}}, of(map[string]setting{"regex": is(pattern), "replacement": is(text)})},
	"stripPrefix":      {70, [][]string{{"prefixes"}}, of(map[string]setting{"prefixes": is(list)})},
	"stripPrefixRegex": {70, [][]string{{"regex"}}, of(map[string]setting{"regex": is(list)})},
}

func headerSettings() map[string]setting {
	settings := map[string]setting{
		"customRequestHeaders": is(table), "customResponseHeaders": is(table), "sslProxyHeaders": is(table),
		"accessControlAllowHeaders": is(list), "accessControlAllowMethods": is(list), "accessControlAllowOriginList": is(list),
		"accessControlAllowOriginListRegex": is(list), "accessControlExposeHeaders": is(list), "accessControlMaxAge": is(number),
		"allowedHosts": is(list), "hostsProxyHeaders": is(list), "stsSeconds": is(number),
	}
	for _, name := range []string{
		"accessControlAllowCredentials", "addVaryHeader", "browserXssFilter", "contentTypeNosniff", "forceSTSHeader", "frameDeny",
		"isDevelopment", "stsIncludeSubdomains", "stsPreload",
	} {
		settings[name] = is(truth)
	}
	for _, name := range []string{
		"contentSecurityPolicy", "contentSecurityPolicyReportOnly", "customBrowserXSSValue", "customFrameOptionsValue",
		"permissionsPolicy", "publicKey", "referrerPolicy",
	} {
		settings[name] = is(text)
	}

	return settings
}

// CheckPlugin tells what Traefik's middlewares do not know. Over a setting that it does not know, Traefik would refuse
// its whole configuration.
func (e *Engine) CheckPlugin(_ context.Context, plugin gateway.Plugin, complete bool) ([]gateway.Unsupported, error) {
	var found []gateway.Unsupported

	refuse := func(attribute, reason string) {
		found = append(found, gateway.Unsupported{Attribute: attribute, Reason: reason})
	}

	if plugin.Consumer != "" {
		refuse("consumer", "Traefik has no consumers. Use upstream or route, or a Kong gateway.")
	}

	kind, known := middlewares[plugin.Type]
	if !known {
		refuse("type", fmt.Sprintf("Traefik has no middleware of the type %q. Those that there are: %s.",
			plugin.Type, strings.Join(slices.Sorted(maps.Keys(middlewares)), ", ")))

		return found, nil
	}

	found = append(found, kind.check("config", plugin.Config)...)
	for _, names := range kind.needs {
		if complete && !slices.ContainsFunc(names, func(name string) bool { return plugin.Config[name] != nil }) {
			refuse("config", fmt.Sprintf("The middleware %s needs a value for %s.", plugin.Type, strings.Join(names, " or ")))
		}
	}

	return found, nil
}

// PluginSettings describes the settings of a type of middlewares. Traefik's have no defaults that it would write back.
func (*Engine) PluginSettings(_ context.Context, kind string) (map[string]gateway.Setting, error) {
	return describe(middlewares[kind].fields), nil
}

// secrets are the settings that may hold what nobody is to read.
var secrets = []string{"users", "key"}

func describe(fields map[string]setting) map[string]gateway.Setting {
	described := map[string]gateway.Setting{}
	for name, field := range fields {
		described[name] = gateway.Setting{Secret: slices.Contains(secrets, name)}
		if field.kind == group {
			described[name] = gateway.Setting{Fields: describe(field.fields)}
		}
	}

	return described
}
