package kong

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/kong/go-kong/kong"
)

// Timeouts of the services that are written, in milliseconds. Kong's own 60 s to connect would keep a client waiting
// for a machine that has gone; within one data centre 2 s are ample, and what cannot be connected to is tried again
// on another target. Reading and writing keep Kong's 60 s, the time between two successive reads or writes: a request
// that was sent may have been carried out, so a shorter time would fail slow requests without helping failover.
const (
	connectTimeout = 2_000
	writeTimeout   = 60_000
	readTimeout    = 60_000
)

// maxNamed is how many routes an error names at most.
const maxNamed = 20

// parts is what Kong holds of an upstream.
type parts struct {
	service  *kong.Service
	upstream *kong.Upstream
	targets  []*kong.Target
}

func load(ctx context.Context, r reader, name string) (p parts, err error) {
	if p.service, err = r.service(ctx, name); err != nil {
		return p, err
	}
	if p.upstream, err = r.upstream(ctx, name); err != nil || p.upstream == nil {
		return p, err
	}
	p.targets, err = r.targets(ctx, name)

	return p, err
}

// joined says whether the service sends its traffic to the upstream.
func (p parts) joined(name string) bool {
	return p.service != nil && p.upstream != nil && is(p.service.Host, name)
}

// PutUpstream creates or replaces an upstream. Weights change in place. The service is written last, so that nothing
// leads to an upstream before it has its targets; whatever step is the last one to be carried out, the next put does
// the others. It refuses to take over an entity that somebody else made, unless it is a plain HTTP service with its
// upstream, which can be imported.
func (e *Engine) PutUpstream(ctx context.Context, upstream gateway.Upstream) error {
	if err := checkMembers(upstream); err != nil {
		return err
	}

	current, err := load(ctx, direct{e}, upstream.Name)
	if err != nil {
		return err
	}
	if err := current.refuseForeign(upstream.Name); err != nil {
		return err
	}

	if err := e.putUpstreamEntity(ctx, upstream.Name, current.upstream); err != nil {
		return err
	}
	if err := e.putTargets(ctx, upstream, current.targets); err != nil {
		return err
	}

	return e.putService(ctx, upstream, current.service)
}

func checkMembers(upstream gateway.Upstream) error {
	if len(upstream.Services) == 0 && len(upstream.Targets) == 0 {
		return errors.New("it has neither services nor targets, so nothing could receive its traffic. Give it one")
	}
	for target := range upstream.Targets {
		if service, ok := strings.CutSuffix(target, consulTarget); ok {
			return fmt.Errorf("the target %q cannot be told from the Consul service %q in Kong. Name it in services instead", target, service)
		}
	}

	return nil
}

func (p parts) refuseForeign(name string) error {
	var foreign string
	switch {
	case p.service != nil && !marked(p.service.Tags):
		foreign = "service"
	case p.upstream != nil && !marked(p.upstream.Tags):
		foreign = "upstream"
	default:
		return nil
	}

	if !p.joined(name) {
		return fmt.Errorf("the gateway already has a Kong %s of this name that this provider did not make. Remove or rename it, or choose another name", foreign)
	}
	if !marked(p.service.Tags) && (!is(p.service.Protocol, "http") || p.service.Path != nil) {
		return fmt.Errorf("the imported Kong service %q is more than a plain HTTP service (its protocol is %q and its path %q), "+
			"which would be lost. Set protocol http and no path in Kong, or remove it from this configuration",
			name, or(p.service.Protocol, ""), or(p.service.Path, ""))
	}

	return nil
}

// putUpstreamEntity writes nothing but the name and the mark; of an upstream that exists it keeps all the rest.
func (e *Engine) putUpstreamEntity(ctx context.Context, name string, current *kong.Upstream) error {
	var err error
	switch {
	case current == nil:
		err = e.write(ctx, http.MethodPut, at("upstreams", name), kong.Upstream{Name: &name, Tags: withMark(nil)})
	case !marked(current.Tags):
		err = e.write(ctx, http.MethodPatch, at("upstreams", name), kong.Upstream{Tags: withMark(current.Tags)})
	}
	if err != nil {
		return fmt.Errorf("put Kong upstream %q: %w", name, err)
	}

	return nil
}

func (e *Engine) putTargets(ctx context.Context, upstream gateway.Upstream, current []*kong.Target) error {
	collection := at("upstreams", upstream.Name, "targets")
	needed, obsolete := changes(declaredTargets(upstream), current)

	for _, c := range needed {
		var err error
		if c.id == "" {
			err = e.write(ctx, http.MethodPost, collection, kong.Target{Target: &c.target, Weight: &c.weight, Tags: c.tags})
		} else {
			err = e.write(ctx, http.MethodPatch, collection+at(c.id), kong.Target{Weight: &c.weight, Tags: c.tags})
		}
		if err != nil {
			return fmt.Errorf("put target %q of Kong upstream %q: %w", c.target, upstream.Name, err)
		}
	}

	for _, target := range obsolete {
		if err := e.remove(ctx, collection+at(or(target.ID, ""))); err != nil {
			return fmt.Errorf("delete target %q of Kong upstream %q: %w", spelled(target), upstream.Name, err)
		}
	}

	return nil
}

func (e *Engine) putService(ctx context.Context, upstream gateway.Upstream, current *kong.Service) error {
	service := kong.Service{
		Name:           &upstream.Name,
		Host:           &upstream.Name,
		Protocol:       new("http"),
		Retries:        &upstream.Retries,
		ConnectTimeout: new(connectTimeout),
		WriteTimeout:   new(writeTimeout),
		ReadTimeout:    new(readTimeout),
		Enabled:        new(true),
		Tags:           withMark(nil),
	}
	if current != nil {
		service.Tags = withMark(current.Tags)
		if serves(current, service) {
			return nil
		}
	}

	if err := e.write(ctx, http.MethodPut, at("services", upstream.Name), service); err != nil {
		return fmt.Errorf("put Kong service %q: %w", upstream.Name, err)
	}

	return nil
}

// serves says whether Kong's service has everything that would be written.
func serves(current *kong.Service, wanted kong.Service) bool {
	return is(current.Host, *wanted.Host) &&
		is(current.Protocol, *wanted.Protocol) &&
		is(current.Retries, *wanted.Retries) &&
		is(current.ConnectTimeout, *wanted.ConnectTimeout) &&
		is(current.WriteTimeout, *wanted.WriteTimeout) &&
		is(current.ReadTimeout, *wanted.ReadTimeout) &&
		is(current.Enabled, true) &&
		current.Path == nil &&
		marked(current.Tags)
}

// Upstream reads an upstream. One whose service is missing does not exist: a put that was interrupted left it, and the
// next one completes it. One of ours whose service leads nowhere (an interrupted delete, or somebody's change) exists
// without members, so that it is repaired or deleted.
func (e *Engine) Upstream(ctx context.Context, name string) (gateway.Upstream, error) {
	current, err := load(ctx, e.reader(), name)
	if err != nil {
		return gateway.Upstream{}, err
	}

	if !current.joined(name) && (current.service == nil || !marked(current.service.Tags)) {
		return gateway.Upstream{}, fmt.Errorf("upstream %q in Kong: %w", name, gateway.ErrNotFound)
	}

	upstream := gateway.Upstream{Name: name, Retries: or(current.service.Retries, -1)}
	if current.joined(name) {
		upstream.Services, upstream.Targets = members(current.targets)
	}

	return upstream, nil
}

// DeleteUpstream removes an upstream with its targets and its service. It refuses while routes lead to it. The service
// goes last, so that what an interrupted delete leaves is still found.
func (e *Engine) DeleteUpstream(ctx context.Context, name string) error {
	if err := e.refuseReferenced(ctx, name); err != nil {
		return err
	}

	if err := e.remove(ctx, at("upstreams", name)); err != nil {
		return fmt.Errorf("delete Kong upstream %q: %w", name, err)
	}

	err := e.remove(ctx, at("services", name))
	if hasCode(err, codeForeignKey) { // a route was made meanwhile
		err = errors.Join(e.refuseReferenced(ctx, name), err)
	}
	if err != nil {
		return fmt.Errorf("delete Kong service %q: %w", name, err)
	}

	return nil
}

func (e *Engine) refuseReferenced(ctx context.Context, name string) error {
	escaped := url.PathEscape(name)
	routes, _, err := e.admin.Routes.ListForService(ctx, &escaped, &kong.ListOpt{Size: maxNamed})
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the routes of Kong service %q: %w", name, err)
	}

	var names []string
	for _, route := range routes {
		names = append(names, or(route.Name, or(route.ID, "")))
	}
	if len(names) == 0 {
		return nil
	}

	return fmt.Errorf("it still receives the traffic of the gateway route %s. Delete the route or send it to another "+
		"upstream first; upstream = gateway_upstream.<label>.name tells Terraform the order", strings.Join(names, ", "))
}
