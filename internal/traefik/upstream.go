package traefik

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

const (
	catalogSuffix = "@consulcatalog" // how Traefik names a service that its Consul Catalog provider found
	targetScheme  = "http://"

	// retryInterval is the first pause between attempts; Traefik lets the pauses grow to twice as much.
	retryInterval = "100ms"

	// missingRetries stands for an upstream whose retry middleware is not there. Its routers answer 404, so it must
	// differ from every number that can be asked for.
	missingRetries = -1
)

var (
	weightedMember = regexp.MustCompile(`^weighted/services/([0-9]+)/(name|weight)$`)
	serverMember   = regexp.MustCompile(`^loadbalancer/servers/([0-9]+)/(url|weight)$`)
)

func serviceFolder(upstream string) string { return "services/" + upstream + "/" }

// retryName names the middleware that every route to the upstream passes through.
func retryName(upstream string) string { return upstream + "-retry" }

// A spare stands in for an upstream as long as Traefik has no use for the upstream itself: a weighted service with a
// member that has no healthy instance is an error for Traefik, and so is every router to it, which then answers 404 for
// all members. Each spare therefore has one member only. Names of upstreams and routes cannot hold its mark.
const (
	spares    = 2
	spareMark = "~spare"
)

func spareName(name string, number int) string { return name + spareMark + strconv.Itoa(number) }

func retryFolder(upstream string) string { return "middlewares/" + retryName(upstream) + "/" }

// ownsUpstream tells which keys make up the upstream.
func ownsUpstream(name string) func(path string) bool {
	return func(path string) bool {
		return strings.HasPrefix(path, serviceFolder(name)) ||
			strings.HasPrefix(path, "services/"+name+spareMark) ||
			strings.HasPrefix(path, retryFolder(name))
	}
}

// renderUpstream writes an upstream as keys: a weighted service over services of the catalog, or a load balancer over
// servers, and in both cases a retry middleware and spares. Members are numbered in the order of their names.
func renderUpstream(upstream gateway.Upstream) map[string]string {
	folder := serviceFolder(upstream.Name)
	keys := map[string]string{
		retryFolder(upstream.Name) + "retry/attempts":        strconv.Itoa(upstream.Retries + 1),
		retryFolder(upstream.Name) + "retry/initialInterval": retryInterval,
	}

	for number, name := range slices.Sorted(maps.Keys(upstream.Services)) {
		member := fmt.Sprintf("%sweighted/services/%d/", folder, number)
		keys[member+"name"] = name + catalogSuffix
		keys[member+"weight"] = strconv.Itoa(upstream.Services[name].Weight)
	}

	for number, address := range slices.Sorted(maps.Keys(upstream.Targets)) {
		member := fmt.Sprintf("%sloadBalancer/servers/%d/", folder, number)
		keys[member+"url"] = targetScheme + address
		keys[member+"weight"] = strconv.Itoa(upstream.Targets[address].Weight)
	}

	for position, member := range standIns(upstream) {
		keys[serviceFolder(spareName(upstream.Name, position+1))+"weighted/services/0/name"] = member
	}

	return keys
}

// standIns names the only member of each spare: the heaviest service and the second heaviest, or what comes closest.
func standIns(upstream gateway.Upstream) [spares]string {
	var members []string

	byWeight := slices.SortedFunc(maps.Keys(upstream.Services), func(a, b string) int {
		return cmp.Or(cmp.Compare(upstream.Services[b].Weight, upstream.Services[a].Weight), cmp.Compare(a, b))
	})
	for _, name := range byWeight {
		if upstream.Services[name].Weight > 0 {
			members = append(members, name+catalogSuffix)
		}
	}

	if len(members) == 0 {
		members = []string{upstream.Name} // nothing can go missing, or nobody is to receive anything
	}

	var chosen [spares]string
	for position := range chosen {
		chosen[position] = members[min(position, len(members)-1)]
	}

	return chosen
}

// parseUpstream reads an upstream from the keys that it owns. Their paths are in lower case, since Traefik does not
// tell case apart.
func parseUpstream(name string, keys map[string]string) (gateway.Upstream, error) {
	upstream := gateway.Upstream{Name: name, Retries: missingRetries}

	service := below(keys, serviceFolder(name))
	if len(service) == 0 {
		return gateway.Upstream{}, gateway.ErrNotFound
	}

	if attempts, found := keys[retryFolder(name)+"retry/attempts"]; found {
		number, err := strconv.Atoi(attempts)
		if err != nil {
			return gateway.Upstream{}, fmt.Errorf("read the retry middleware's attempts: %w", err)
		}

		upstream.Retries = number - 1
	}

	var err, serverErr error
	upstream.Services, err = members(service, weightedMember, "name", serviceName)
	upstream.Targets, serverErr = members(service, serverMember, "url", targetAddress)

	if err := errors.Join(err, serverErr); err != nil {
		return gateway.Upstream{}, err
	}

	if len(upstream.Services) == 0 && len(upstream.Targets) == 0 {
		return gateway.Upstream{}, fmt.Errorf("Traefik's service %q is neither a weighted service nor a load balancer over servers", name)
	}

	return upstream, nil
}

// members collects the numbered members that the pattern finds: its groups are the number and the field. A member
// without the naming field is none.
func members(service map[string]string, pattern *regexp.Regexp, naming string, named func(string) (string, error)) (map[string]gateway.Member, error) {
	var found map[string]gateway.Member

	for _, path := range slices.Sorted(maps.Keys(service)) {
		match := pattern.FindStringSubmatch(path)
		if match == nil || match[2] != naming {
			continue
		}

		name, err := named(service[path])
		if err != nil {
			return nil, err
		}

		member := gateway.Member{Weight: 1} // Traefik's default
		if text, given := service[strings.TrimSuffix(path, naming)+"weight"]; given {
			if member.Weight, err = strconv.Atoi(text); err != nil {
				return nil, fmt.Errorf("read the weight of %s: %w", name, err)
			}
		}

		if found == nil {
			found = map[string]gateway.Member{}
		}

		found[name] = member
	}

	return found, nil
}

func serviceName(value string) (string, error) {
	name, found := strings.CutSuffix(value, catalogSuffix)
	if !found {
		return "", fmt.Errorf("the member %q is not a service of Consul's catalog", value)
	}

	return name, nil
}

func targetAddress(value string) (string, error) {
	address, found := strings.CutPrefix(value, targetScheme)
	if !found {
		return "", fmt.Errorf("the server %q is not reached by plain HTTP", value)
	}

	return strings.TrimSuffix(address, "/"), nil
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
