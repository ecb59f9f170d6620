package kong

import (
	"cmp"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/kong/go-kong/kong"
)

// Kong appends a port to a target without one, although it takes a Consul service's from DNS.
const (
	consulDomain  = ".service.consul"
	consulTarget  = consulDomain + ":8000"
	defaultWeight = 100
)

// declaredTargets are the weights that an upstream asks for, by target as Kong spells it back (see spelled).
func declaredTargets(upstream gateway.Upstream) map[string]int {
	weights := map[string]int{}
	for service, member := range upstream.Services {
		weights[service+consulTarget] = member.Weight
	}
	for target, member := range upstream.Targets {
		weights[target] = member.Weight
	}

	return weights
}

// spelled is a target of Kong's in the form in which it was put: Kong writes IPv6 addresses with all their zeros.
func spelled(target *kong.Target) string {
	text := or(target.Target, "")
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return text
	}
	if address, err := netip.ParseAddr(host); err == nil {
		host = address.String()
	}

	return net.JoinHostPort(host, port)
}

// members sorts Kong's targets into Consul services and the rest. A map without members is nil.
func members(targets []*kong.Target) (services, others map[string]gateway.Member) {
	for _, target := range targets {
		name, into := spelled(target), &others
		if service, ok := strings.CutSuffix(name, consulTarget); ok {
			name, into = service, &services
		}
		if *into == nil {
			*into = map[string]gateway.Member{}
		}
		(*into)[name] = gateway.Member{Weight: or(target.Weight, defaultWeight)}
	}

	return services, others
}

// change is one target that must be created or changed.
type change struct {
	target string
	id     string // of the target that Kong has, empty to create it
	weight int
	gain   int // of weight
	tags   []*string
}

// changes compares the declared weights with Kong's targets. What gains weight comes first, and obsolete targets go
// last of all, so that at no step an upstream that had receivers is without.
func changes(declared map[string]int, current []*kong.Target) (needed []change, obsolete []*kong.Target) {
	left := maps.Clone(declared)
	for _, target := range current {
		name := spelled(target)
		weight, wanted := left[name]
		if !wanted {
			obsolete = append(obsolete, target)

			continue
		}
		delete(left, name)

		if had := or(target.Weight, defaultWeight); had != weight || !marked(target.Tags) {
			needed = append(needed, change{name, or(target.ID, ""), weight, weight - had, withMark(target.Tags)})
		}
	}
	for name, weight := range left {
		needed = append(needed, change{name, "", weight, weight, withMark(nil)})
	}

	slices.SortFunc(needed, func(a, b change) int {
		return cmp.Or(cmp.Compare(b.gain, a.gain), cmp.Compare(a.target, b.target))
	})
	slices.SortFunc(obsolete, func(a, b *kong.Target) int { return cmp.Compare(spelled(a), spelled(b)) })

	return needed, obsolete
}
