package catalog

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
)

// maintenance is the prefix of the check by which Consul takes an instance out of service. It is a state, not a part
// of the definition.
const maintenance = "_service_maintenance:"

// managedBy marks what this provider made, in the notes of checks and in the meta data of nodes.
const managedBy = "terraform-provider-hypervisor"

// defaultTimeout is what Consul uses for a check that names none.
const defaultTimeout = 10 * time.Second

// entry is a check as Consul's HTTP API gives it. The library's types lack Interval and Timeout.
type entry struct {
	CheckID     string
	Name        string
	Status      string
	Output      string
	Notes       string
	ServiceID   string
	Type        string
	Interval    string
	Timeout     string
	Definition  api.HealthCheckDefinition
	ModifyIndex uint64
}

// note is what we write to a check's notes, as JSON: the part of the definition that Consul does not give back. Of a
// check that an agent runs, Consul shows type, interval and timeout, but neither the target nor the rest.
type note struct {
	ManagedBy       string `json:"managed-by"`
	HTTP            string `json:"http,omitempty"`
	TCP             string `json:"tcp,omitempty"`
	Status          string `json:"status"`
	DeregisterAfter string `json:"deregister_critical_service_after,omitempty"`
	Wait            string `json:"wait_for_passing,omitempty"`
}

// notes renders what is to be remembered of a check of the service.
func (check Check) notes(wait time.Duration) string {
	content := note{
		ManagedBy: managedBy, HTTP: check.HTTP, TCP: check.TCP, Status: check.Status,
		DeregisterAfter: durationText(check.DeregisterAfter), Wait: durationText(wait),
	}

	var text strings.Builder

	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // a URL's "&" stays readable in Consul's user interface

	if err := encoder.Encode(content); err != nil {
		panic(fmt.Sprintf("encode a struct of strings: %v", err))
	}

	return strings.TrimSpace(text.String())
}

func (check Check) kind() string {
	if check.HTTP != "" {
		return "http"
	}

	return "tcp"
}

// check reads the definition back. A target is taken from the catalog's definition if it is there, and from our note
// otherwise.
func (e entry) check() (check Check, wait time.Duration) {
	var content note
	if json.Unmarshal([]byte(e.Notes), &content) != nil || content.ManagedBy != managedBy {
		content = note{}
	}

	wait = parsed(content.Wait, 0)
	check = Check{Status: content.Status}

	if check.Status == "" {
		check.Status = api.HealthCritical // Consul's own default
	}

	if e.Definition.HTTP != "" || e.Definition.TCP != "" {
		check.HTTP, check.TCP = e.Definition.HTTP, e.Definition.TCP
		check.Interval = e.Definition.IntervalDuration
		check.Timeout = e.Definition.TimeoutDuration
		check.DeregisterAfter = e.Definition.DeregisterCriticalServiceAfterDuration

		return check, wait
	}

	switch e.Type {
	case "http":
		check.HTTP = content.HTTP
	case "tcp":
		check.TCP = content.TCP
	}

	check.Interval = parsed(e.Interval, 0)
	check.Timeout = parsed(e.Timeout, defaultTimeout)
	check.DeregisterAfter = parsed(content.DeregisterAfter, 0)

	return check, wait
}

// addChecks puts those of the entries that belong to the service into it.
func (s *Service) addChecks(entries []entry) {
	for _, e := range entries {
		if e.ServiceID != s.ID || strings.HasPrefix(e.CheckID, maintenance) {
			continue
		}

		if s.Checks == nil {
			s.Checks = map[string]Check{}
		}

		check, wait := e.check()
		s.Checks[checkKey(s.ID, e.CheckID)] = check
		s.Wait = max(s.Wait, wait)
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
