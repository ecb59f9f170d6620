package catalog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
)

// managedBy marks what this provider made, in the notes of checks and in the meta data of services and nodes.
const managedBy = "terraform-provider-hypervisor"

// What Consul uses for a check that names none, and consul-esm for one of the catalog.
const (
	defaultTimeout  = 10 * time.Second
	defaultInterval = 30 * time.Second
)

// Check is the definition of a health check. It has the target of one kind, except in a check that somebody else made
// and whose target Consul does not show.
type Check struct {
	HTTP             string            `json:"http,omitempty"` // a URL
	Method           string            `json:"method,omitempty"`
	Headers          map[string]string `json:"headers,omitempty"`
	Body             string            `json:"body,omitempty"`
	DisableRedirects bool              `json:"disable_redirects,omitempty"`
	TCP              string            `json:"tcp,omitempty"`    // "address:port"
	UDP              string            `json:"udp,omitempty"`    // "address:port"
	GRPC             string            `json:"grpc,omitempty"`   // "address:port" or "address:port/service"
	H2Ping           string            `json:"h2ping,omitempty"` // "address:port"
	TTL              time.Duration     `json:"-"`
	Script           []string          `json:"script,omitempty"` // program and arguments
	Container        string            `json:"container,omitempty"`
	Shell            string            `json:"shell,omitempty"` // in the container
	OSService        string            `json:"os_service,omitempty"`
	AliasService     string            `json:"alias_service,omitempty"`
	AliasNode        string            `json:"alias_node,omitempty"`

	TLS        bool   `json:"tls,omitempty"` // of kinds whose target does not say it
	SkipVerify bool   `json:"tls_skip_verify,omitempty"`
	ServerName string `json:"tls_server_name,omitempty"`

	SuccessBeforePassing   int `json:"success_before_passing,omitempty"`
	FailuresBeforeWarning  int `json:"failures_before_warning,omitempty"`
	FailuresBeforeCritical int `json:"failures_before_critical,omitempty"`

	Interval        time.Duration `json:"-"`      // 0 for a kind that is not run
	Timeout         time.Duration `json:"-"`      // 0 for a kind that is not run
	Status          string        `json:"status"` // before the first run: "passing", "warning" or "critical"
	DeregisterAfter time.Duration `json:"-"`      // in critical state; 0 means never
}

// Kind returns the kind as Consul names it, or "" if there is none.
func (check Check) Kind() string {
	switch {
	case check.HTTP != "":
		return "http"
	case check.TCP != "":
		return "tcp"
	case check.UDP != "":
		return "udp"
	case check.GRPC != "":
		return "grpc"
	case check.H2Ping != "":
		return "h2ping"
	case check.TTL != 0:
		return "ttl"
	case check.Container != "":
		return "docker"
	case len(check.Script) > 0:
		return "script"
	case check.OSService != "":
		return "os_service"
	case check.AliasService != "" || check.AliasNode != "":
		return "alias"
	default:
		return ""
	}
}

// Equal reports whether both define the same check.
func (check Check) Equal(other Check) bool {
	return check.Interval == other.Interval && check.Timeout == other.Timeout && check.notes() == other.notes()
}

// note is what we write to a check's notes, as JSON: the part of the definition that Consul does not give back. Of a
// check that an agent runs, Consul shows type, interval and timeout, but neither the target nor the rest.
type note struct {
	ManagedBy string `json:"managed-by"`
	Check

	TTL             string `json:"ttl,omitempty"`
	DeregisterAfter string `json:"deregister_critical_service_after,omitempty"`
}

// notes renders what is to be remembered of a check.
func (check Check) notes() string {
	content := note{
		ManagedBy: managedBy, Check: check,
		TTL: durationText(check.TTL), DeregisterAfter: durationText(check.DeregisterAfter),
	}

	var text strings.Builder

	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // a URL's "&" stays readable in Consul's user interface

	if err := encoder.Encode(content); err != nil {
		panic(fmt.Sprintf("encode a struct of strings: %v", err))
	}

	return strings.TrimSpace(text.String())
}

// entry is a check as Consul's HTTP API gives it. The library's types lack Interval and Timeout.
type entry struct {
	CheckID     string
	Name        string
	Status      string
	Output      string
	Notes       string
	ServiceID   string
	ServiceName string
	Type        string
	Interval    string
	Timeout     string
	Definition  api.HealthCheckDefinition
	ModifyIndex uint64
}

// check reads the definition back: from the catalog's definition as far as that goes, and from our note otherwise. A
// note about a check of another kind than the one that is there is out of date.
func (e entry) check() Check {
	var content note
	if json.Unmarshal([]byte(e.Notes), &content) != nil || content.ManagedBy != managedBy {
		content = note{}
	}

	check := content.Check
	check.TTL, check.DeregisterAfter = parsed(content.TTL, 0), parsed(content.DeregisterAfter, 0)

	if check.Status == "" {
		check.Status = api.HealthCritical // Consul's own default
	}

	if e.Definition.HTTP != "" || e.Definition.TCP != "" {
		return check.defined(e.Definition)
	}

	if kind := check.Kind(); kind != e.Type {
		check = Check{Status: check.Status}
	}

	if check.Kind() != "ttl" && check.Kind() != "alias" {
		check.Interval = parsed(e.Interval, 0)
		check.Timeout = parsed(e.Timeout, defaultTimeout)
	}

	return check
}

// defined takes over what the catalog says of a check.
func (check Check) defined(definition api.HealthCheckDefinition) Check {
	defined := Check{
		HTTP: definition.HTTP, Method: definition.Method, Body: definition.Body,
		TCP: definition.TCP, TLS: definition.TCPUseTLS,
		SkipVerify: definition.TLSSkipVerify, ServerName: definition.TLSServerName,
		Status: check.Status, Interval: cmp.Or(definition.IntervalDuration, defaultInterval), Timeout: cmp.Or(definition.TimeoutDuration, defaultTimeout),
		DeregisterAfter: definition.DeregisterCriticalServiceAfterDuration,
	}

	for name, values := range definition.Header {
		if defined.Headers == nil {
			defined.Headers = map[string]string{}
		}

		defined.Headers[name] = strings.Join(values, ", ")
	}

	return defined
}

// definition is the reverse of defined: what consul-esm runs.
func (check Check) definition() api.HealthCheckDefinition {
	return api.HealthCheckDefinition{
		HTTP: check.HTTP, Method: check.Method, Body: check.Body, Header: check.header(),
		TCP: check.TCP, TCPUseTLS: check.TCP != "" && check.TLS,
		TLSSkipVerify: check.SkipVerify, TLSServerName: check.ServerName,
		IntervalDuration: check.Interval, TimeoutDuration: check.Timeout,
		DeregisterCriticalServiceAfterDuration: check.DeregisterAfter,
	}
}

func (check Check) header() map[string][]string {
	if len(check.Headers) == 0 {
		return nil
	}

	header := make(map[string][]string, len(check.Headers))
	for name, value := range check.Headers {
		header[name] = []string{value}
	}

	return header
}

// addChecks puts those of the entries that belong to the service into it.
func (s *Service) addChecks(entries []entry) {
	for _, e := range entries {
		switch {
		case e.ServiceID != s.ID:
		case strings.HasPrefix(e.CheckID, maintenance):
			s.Draining = e.Notes == drainReason
		default:
			if s.Checks == nil {
				s.Checks = map[string]Check{}
			}

			s.Checks[checkKey(s.ID, e.CheckID)] = e.check()
		}
	}
}

func durationText(duration time.Duration) string {
	if duration == 0 {
		return ""
	}

	return duration.String()
}

func parsed(text string, fallback time.Duration) time.Duration {
	duration, err := time.ParseDuration(text)
	if err != nil {
		return fallback
	}

	return duration
}
