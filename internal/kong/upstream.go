package kong

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/kong/go-kong/kong"
)

// maxNamed is how many routes an error names at most.
const maxNamed = 20

// parts is what Kong holds of an upstream.
type parts struct {
	service     *kong.Service
	upstream    *balancer
	targets     []*kong.Target
	authorities []*authorityRow // as the service lists them; nil for one that is not there
}

func load(ctx context.Context, r reader, name string) (p parts, err error) {
	if p.service, err = r.service(ctx, name); err != nil {
		return p, err
	}
	if p.service != nil {
		for _, id := range texts(p.service.CACertificates) {
			authority, err := r.authority(ctx, id)
			if err != nil {
				return p, err
			}
			p.authorities = append(p.authorities, authority)
		}
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
	upstream = upstream.Complete()

	if err := checkMembers(upstream); err != nil {
		return err
	}
	if err := gateway.Refusal("Kong", e.CheckUpstream(upstream)); err != nil {
		return err
	}

	current, err := load(ctx, direct{e}, upstream.Name)
	if err != nil {
		return err
	}
	if err := current.refuseForeign(upstream); err != nil {
		return err
	}

	if err := e.putBalancer(ctx, upstream, current.upstream); err != nil {
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

	return nil
}

func (p parts) refuseForeign(upstream gateway.Upstream) error {
	if p.service != nil {
		if err := refuseForeign("service", upstream.Record, p.service.Tags); err != nil {
			return err
		}
		if !marked(p.service.Tags) && p.service.Path != nil {
			return fmt.Errorf("the imported Kong service %q adds the path %q to requests, which would be lost. "+
				"Remove the path in Kong, or remove the upstream from this configuration", upstream.Name, *p.service.Path)
		}
	}
	if p.upstream != nil {
		return refuseForeign("upstream", upstream.Record, p.upstream.Tags)
	}

	return nil
}

// putBalancer writes Kong's upstream; of one that exists it keeps what is not ours to say.
func (e *Engine) putBalancer(ctx context.Context, upstream gateway.Upstream, current *balancer) error {
	method, tags := http.MethodPut, withMark(nil)
	if current != nil {
		if current.serves(upstream) && marked(current.Tags) {
			return nil
		}
		method, tags = http.MethodPatch, withMark(current.Tags)
	}

	if err := e.write(ctx, method, at("upstreams", upstream.Name), renderBalancer(upstream, tags)); err != nil {
		return fmt.Errorf("put Kong upstream %q: %w", upstream.Name, err)
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

// putService writes the service with the authorities that it refers to, and takes away those that nothing does any more.
// Until that is done the service carries a tag, so that the next put does it.
func (e *Engine) putService(ctx context.Context, upstream gateway.Upstream, current *kong.Service) error {
	partial, err := e.writeService(ctx, upstream, current)
	if err != nil {
		return fmt.Errorf("put Kong service %q: %w", upstream.Name, err)
	}
	if partial == nil {
		return nil
	}

	if err := e.dropAuthorities(ctx); err != nil {
		return err
	}

	whole := slices.DeleteFunc(slices.Clone(partial.Tags), isPartial)
	if err := e.write(ctx, http.MethodPatch, at("services", upstream.Name), map[string]any{"tags": whole}); err != nil {
		return fmt.Errorf("complete Kong service %q: %w", upstream.Name, err)
	}

	return nil
}

// writeService returns the service that it leaves marked as partial, nil if it is complete.
func (e *Engine) writeService(ctx context.Context, upstream gateway.Upstream, current *kong.Service) (partial *kong.Service, err error) {
	e.authorityTurn.RLock()
	defer e.authorityTurn.RUnlock()

	trusted, err := e.putAuthorities(ctx, upstream.TLS.CA)
	if err != nil {
		return nil, err
	}

	service := renderService(upstream, trusted)
	if current != nil {
		service.Tags = slices.DeleteFunc(withRecord(current.Tags, upstream.Record), isPartial)
		if serves(current, service) && slices.Equal(texts(current.Tags), texts(service.Tags)) {
			return nil, nil //nolint:nilnil // there is nothing to complete
		}

		dropped := func(id string) bool { return !slices.Contains(trusted, id) }
		if slices.ContainsFunc(texts(current.CACertificates), dropped) || slices.ContainsFunc(current.Tags, isPartial) {
			service.Tags = append(service.Tags, new(partialMark))
			partial = &service
		}
	}

	if err := e.write(ctx, http.MethodPut, at("services", upstream.Name), service); err != nil {
		return nil, err
	}

	// Another state may have taken an authority away before this service referred to it.
	_, err = e.putAuthorities(ctx, upstream.TLS.CA)

	return partial, err
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

	return current.parse(name), nil
}

// Upstreams reads all upstreams that Upstream could read, in the order of their names.
func (e *Engine) Upstreams(ctx context.Context) ([]gateway.Upstream, error) {
	found, err := e.bulk.upstreams.get(ctx)
	if err != nil {
		return nil, err
	}

	var upstreams []gateway.Upstream
	for _, name := range slices.Sorted(maps.Keys(found)) {
		current, err := load(ctx, e.bulk, name)
		if err != nil {
			return nil, err
		}
		if current.joined(name) {
			upstreams = append(upstreams, current.parse(name))
		}
	}

	return upstreams, nil
}

// DeleteUpstream removes an upstream with its targets and its service. It refuses while routes lead to it. The service
// goes last, so that what an interrupted delete leaves is still found.
func (e *Engine) DeleteUpstream(ctx context.Context, of gateway.Record) error {
	current, err := load(ctx, direct{e}, of.Name)
	if err != nil {
		return err
	}
	if current.service == nil && current.upstream == nil {
		return nil
	}
	if err := current.refuseForeign(gateway.Upstream{Record: of}); err != nil {
		return err
	}
	if err := e.refuseReferenced(ctx, of.Name); err != nil {
		return err
	}

	if err := e.remove(ctx, at("upstreams", of.Name)); err != nil {
		return fmt.Errorf("delete Kong upstream %q: %w", of.Name, err)
	}

	if err := e.releaseAuthorities(ctx, of.Name, current.service); err != nil {
		return err
	}

	err = e.remove(ctx, at("services", of.Name))
	if hasCode(err, codeForeignKey) { // a route was made meanwhile
		err = errors.Join(e.refuseReferenced(ctx, of.Name), err)
	}
	if err != nil {
		return fmt.Errorf("delete Kong service %q: %w", of.Name, err)
	}

	return nil
}

// releaseAuthorities takes a service's authorities away before itself, by whose tag what an interrupted delete leaves is
// found.
func (e *Engine) releaseAuthorities(ctx context.Context, name string, service *kong.Service) error {
	if service == nil || len(service.CACertificates) == 0 && !slices.ContainsFunc(service.Tags, isPartial) {
		return nil
	}

	released := map[string]any{"ca_certificates": nil, "tags": append(withMark(service.Tags), new(partialMark))}
	if err := e.write(ctx, http.MethodPatch, at("services", name), released); err != nil && !isMissing(err) {
		return fmt.Errorf("release the authorities of Kong service %q: %w", name, err)
	}

	return e.dropAuthorities(ctx)
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
		"upstream first; upstream = gateway_upstream.<label>.name tells Terraform the order, and lifecycle { create_before_destroy = true } "+
		"in the upstream lets it be renamed", strings.Join(names, ", "))
}
