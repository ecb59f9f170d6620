package traefik

import (
	"encoding/json"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// Kinds of objects, as the keys of owners name them.
const (
	upstreamKind = "upstream"
	routeKind    = "route"
)

// maker is who made what carries an owner.
const maker = "terraform-provider-hypervisor"

// Names of objects cannot hold partMark, which stands between an object's name and that of a further part of it.
const partMark = "~"

// Middlewares that are parts of other objects.
const (
	retryPart    = partMark + "retry"
	stripPart    = partMark + "strip"
	redirectPart = partMark + "https"
)

// objectOf names the object that a key below the root belongs to, such as "route/shop". Keys of no object share the
// name of none.
func objectOf(path string) string {
	parts := strings.Split(strings.ToLower(path), "/")
	if len(parts) < 3 {
		return ""
	}

	name, part, _ := strings.Cut(parts[2], partMark)

	switch parts[0] + "/" + parts[1] {
	case "http/routers", "tcp/routers":
		return routeKind + "/" + name
	case "http/services", "tcp/services", "http/serverstransports", "tcp/serverstransports":
		return upstreamKind + "/" + name
	case "http/middlewares":
		switch partMark + part {
		case retryPart:
			return upstreamKind + "/" + name
		case stripPart, redirectPart:
			return routeKind + "/" + name
		}

		return "middleware/" + parts[2]
	}

	if parts[0] == "owner" {
		return parts[1] + "/" + parts[2]
	}

	return ""
}

// ownerKey is where the owner of an object stands. Traefik knows its own sections below the root (http, tcp, udp and tls)
// and skips everything beside them; in one of them, a key that it does not know makes it refuse its whole configuration.
func ownerKey(kind, name string) string { return "owner/" + kind + "/" + name }

type owner struct {
	By   string `json:"by"`
	Note string `json:"note,omitempty"`
}

// withOwner adds the owner to an object's keys.
func withOwner(keys map[string]string, kind string, record gateway.Record) map[string]string {
	value, err := json.Marshal(owner{By: maker, Note: record.Note})
	if err != nil {
		panic(err) // two texts can be written as JSON
	}

	keys[ownerKey(kind, record.Name)] = string(value)

	return keys
}

// recordOf reads an object's owner from its keys.
func recordOf(keys map[string]string, kind, name string) gateway.Record {
	var found owner

	text, owned := keys[ownerKey(kind, name)]
	if owned {
		owned = json.Unmarshal([]byte(text), &found) == nil && found.By == maker
	}

	return gateway.Record{Name: name, Foreign: !owned, Note: found.Note}
}

// isAltered reports whether an object's keys differ from those that a put would write, except for the owner.
func isAltered(keys, wanted map[string]string) bool {
	const prefix = "owner/"

	count := 0

	for path, value := range wanted {
		if strings.HasPrefix(path, prefix) {
			continue
		}

		count++

		if found, there := keys[strings.ToLower(path)]; !there || found != value {
			return true
		}
	}

	for path := range keys {
		if !strings.HasPrefix(path, prefix) {
			count--
		}
	}

	return count != 0
}

// below returns the keys below a folder, with paths relative to it.
func below(keys map[string]string, folder string) map[string]string {
	found := map[string]string{}

	for path, value := range keys {
		if rest, inside := strings.CutPrefix(path, folder); inside && rest != "" {
			found[rest] = value
		}
	}

	return found
}

// add writes settings below a folder; empty ones are left out.
func add(keys map[string]string, folder string, settings map[string]string) {
	for path, value := range settings {
		if value != "" {
			keys[folder+path] = value
		}
	}
}
