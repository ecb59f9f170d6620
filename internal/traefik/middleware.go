package traefik

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// pluginKind is the kind of objects that are middlewares of users.
const pluginKind = "middleware"

// pluginNote is what Traefik has no setting for: what a middleware is for. It is kept beside the owner.
type pluginNote struct {
	Type     string `json:"type"`
	Upstream string `json:"upstream,omitempty"`
	Route    string `json:"route,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
	Note     string `json:"note,omitempty"`
}

func noteOf(plugin gateway.Plugin) pluginNote {
	return pluginNote{plugin.Type, plugin.Upstream, plugin.Route, plugin.Disabled, plugin.Note}
}

// PutPlugin creates or replaces a middleware in one transaction and attaches it to the routes that it is for, each in one
// more. Whatever step is the last one to be carried out, the next put does the others.
func (e *Engine) PutPlugin(ctx context.Context, plugin gateway.Plugin) error {
	found, err := e.CheckPlugin(ctx, plugin, true)
	if err := errors.Join(err, gateway.Refusal("Traefik", found)); err != nil {
		return err
	}

	err = e.put(ctx, pluginKind, plugin.Record, func(held contents) (map[string]string, error) {
		if err := missingScope(plugin, held); err != nil {
			return nil, err
		}

		return renderPlugin(plugin)
	})
	if err != nil {
		return err
	}

	return e.reattach(ctx)
}

// missingScope refuses a middleware for what is not there.
func missingScope(plugin gateway.Plugin, held contents) error {
	for kind, name := range map[string]string{upstreamKind: plugin.Upstream, routeKind: plugin.Route} {
		if name != "" && len(held[kind+"/"+name]) == 0 {
			return fmt.Errorf("the gateway has no %s %q. Create it first; a reference to the resource tells Terraform the order", kind, name)
		}
	}

	return nil
}

func renderPlugin(plugin gateway.Plugin) (map[string]string, error) {
	keys := map[string]string{}
	encode(keys, "http/middlewares/"+plugin.Name+"/"+plugin.Type, plugin.Config)

	note, err := json.Marshal(noteOf(plugin))
	if err != nil {
		return nil, fmt.Errorf("write what the middleware is for: %w", err)
	}

	return withOwner(keys, pluginKind, gateway.Record{Name: plugin.Name, Note: string(note)}), nil
}

// reattach writes every route anew whose list of middlewares is not what it shall be, so as many as fit together.
func (e *Engine) reattach(ctx context.Context) error {
	var stale []string

	err := e.store.view(ctx, func(held contents) { stale = e.stale(held) })
	if err != nil {
		return err
	}

	written := make(chan error, len(stale))
	for _, route := range stale {
		go func() {
			written <- e.store.change(ctx, edit{object: routeKind + "/" + route, decide: func(held contents) (map[string]string, error) {
				return e.attach(route, held)
			}})
		}()
	}

	for range stale {
		err = errors.Join(err, <-written)
	}

	return err
}

// stale names the routes that do not pass their requests through the middlewares that are for them.
func (e *Engine) stale(held contents) []string {
	var names []string
	for object := range held {
		name, isRoute := strings.CutPrefix(object, routeKind+"/")
		if !isRoute || recordOf(held.keys(object), routeKind, name).Foreign {
			continue
		}
		if wanted, err := e.attach(name, held); err == nil && !same(held[object], wanted) {
			names = append(names, name)
		}
	}
	slices.Sort(names)

	return names
}

// attach returns the keys of a route as they are, but for the list of middlewares that each of its routers has.
func (e *Engine) attach(route string, held contents) (map[string]string, error) {
	object := routeKind + "/" + route
	lower := held.keys(object)
	upstream := upstreamOf(lower["http/routers/"+route+"/service"])
	ours := attached(route, upstream, held)

	wanted := map[string]string{}
	for path, key := range held[object] {
		wanted[path] = key.Value

		if !strings.HasPrefix(path, "http/routers/") || !strings.HasSuffix(strings.ToLower(path), "/middlewares") {
			continue
		}
		if name := strings.Split(path, "/")[2]; name == route+redirectPart {
			continue // it answers by itself
		}

		wanted[path] = strings.Join(append(slices.Clone(ours), parts(key.Value)...), ",")
	}

	return wanted, nil
}

// parts are the middlewares of a router that belong to other objects of ours.
func parts(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(name string) bool { return !strings.Contains(name, partMark) })
}

// attached names the middlewares that requests of a route pass through, in order: those of an earlier rank first, and
// among equals by name.
func attached(route, upstream string, held contents) []string {
	var found []gateway.Plugin
	for object := range held {
		name, isPlugin := strings.CutPrefix(object, pluginKind+"/")
		if !isPlugin {
			continue
		}
		if plugin, err := parsePlugin(name, held); err == nil && isFor(plugin, route, upstream) {
			found = append(found, plugin)
		}
	}
	slices.SortFunc(found, func(a, b gateway.Plugin) int {
		return cmp.Or(middlewares[a.Type].rank-middlewares[b.Type].rank, cmp.Compare(a.Name, b.Name))
	})

	var names []string
	for _, plugin := range found {
		names = append(names, plugin.Name)
	}

	return names
}

// Plugin reads a middleware.
func (e *Engine) Plugin(ctx context.Context, name string) (plugin gateway.Plugin, err error) {
	viewing := e.store.view(ctx, func(held contents) { plugin, err = e.readPlugin(name, held) })

	return plugin, errors.Join(viewing, err)
}

func (e *Engine) readPlugin(name string, held contents) (gateway.Plugin, error) {
	plugin, err := parsePlugin(name, held)
	if err == nil && !plugin.Foreign {
		plugin.Altered = isDetached(plugin, held)
	}

	return plugin, e.unreadable(err, "middlewares/"+name)
}

// isDetached reports whether a route passes its requests through a middleware that is not for it, or not through one
// that is.
func isDetached(plugin gateway.Plugin, held contents) bool {
	for object := range held {
		route, isRoute := strings.CutPrefix(object, routeKind+"/")
		keys := held.keys(object)
		upstream, isHTTP := keys["http/routers/"+route+"/service"]

		if isRoute && isHTTP && !recordOf(keys, routeKind, route).Foreign && !agrees(keys, route, plugin.Name, isFor(plugin, route, upstreamOf(upstream))) {
			return true
		}
	}

	return false
}

// agrees says whether all routers of a route pass requests through a middleware, or none of them do.
func agrees(keys map[string]string, route, middleware string, all bool) bool {
	for path := range keys {
		router, isRule := strings.CutSuffix(path, "/rule")
		if !isRule || !strings.HasPrefix(router, "http/routers/") || router == "http/routers/"+route+redirectPart {
			continue
		}
		if slices.Contains(strings.Split(keys[router+"/middlewares"], ","), middleware) != all {
			return false
		}
	}

	return true
}

// isFor says whether requests of a route are to pass through a middleware.
func isFor(plugin gateway.Plugin, route, upstream string) bool {
	return !plugin.Foreign && !plugin.Disabled &&
		(plugin.Route == "" || plugin.Route == route) && (plugin.Upstream == "" || plugin.Upstream == upstream)
}

func parsePlugin(name string, held contents) (gateway.Plugin, error) {
	object := pluginKind + "/" + name
	settings := map[string]string{}
	for path, key := range held[object] { // as they are spelled: names of headers keep their case
		if parts := strings.SplitN(path, "/", 4); len(parts) == 4 && parts[0] == "http" {
			settings[parts[3]] = key.Value
		}
	}
	if len(settings) == 0 {
		return gateway.Plugin{}, gateway.ErrNotFound
	}

	tree := treeOf(settings)
	written := slices.Sorted(maps.Keys(tree.children))[0]
	kind := canonical(maps.Keys(middlewares), written)
	if kind == "" {
		return gateway.Plugin{}, fmt.Errorf("Traefik's middleware %q is of the type %q, which this provider does not know", name, written)
	}

	plugin := gateway.Plugin{Record: recordOf(held.keys(object), pluginKind, name), Type: kind, Config: map[string]any{}}
	if config, isGroup := decode(middlewares[kind].setting, tree.children[written]).(map[string]any); isGroup {
		plugin.Config = config
	}

	var note pluginNote
	if !plugin.Foreign && json.Unmarshal([]byte(plugin.Note), &note) == nil {
		plugin.Upstream, plugin.Route, plugin.Disabled, plugin.Note = note.Upstream, note.Route, note.Disabled, note.Note
	}

	return plugin, nil
}

// Plugins reads all middlewares that are objects of their own.
func (e *Engine) Plugins(ctx context.Context) ([]gateway.Plugin, error) {
	return all(ctx, e, pluginKind, e.readPlugin)
}

// DeletePlugin takes a middleware out of all routes and then removes it: a route that names one that is gone answers 404.
func (e *Engine) DeletePlugin(ctx context.Context, of gateway.Record) error {
	plugin, err := e.Plugin(ctx, of.Name)
	if errors.Is(err, gateway.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}

	if !plugin.Foreign {
		plugin.Disabled, plugin.Foreign = true, of.Foreign
		err := e.put(ctx, pluginKind, plugin.Record, func(contents) (map[string]string, error) { return renderPlugin(plugin) })
		if err := errors.Join(err, e.reattach(ctx)); err != nil {
			return err
		}
	}

	return e.remove(ctx, pluginKind, of, func(held contents) error {
		for object := range held {
			if route, isRoute := strings.CutPrefix(object, routeKind+"/"); isRoute && uses(held.keys(object), of.Name) {
				return fmt.Errorf("the router %q, which this provider did not make, sends its requests through it. Change that router first", route)
			}
		}

		return nil
	})
}

// uses says whether a router of the route names the middleware.
func uses(route map[string]string, middleware string) bool {
	for path, value := range route {
		if strings.HasPrefix(path, "http/routers/") && strings.Contains(path, "/middlewares") &&
			slices.Contains(strings.Split(strings.ReplaceAll(value, "@consul", ""), ","), middleware) {
			return true
		}
	}

	return false
}
