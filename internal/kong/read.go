package kong

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/kong/go-kong/kong"
)

// reader reads single entities. What is not there is nil, without an error.
type reader interface {
	service(ctx context.Context, nameOrID string) (*kong.Service, error)
	upstream(ctx context.Context, name string) (*balancer, error)
	targets(ctx context.Context, upstream string) ([]*kong.Target, error)
	route(ctx context.Context, name string) (*kong.Route, error)
	authority(ctx context.Context, id string) (*authorityRow, error)
}

// direct asks Kong for each entity.
type direct struct{ engine *Engine }

func (d direct) service(ctx context.Context, nameOrID string) (*kong.Service, error) {
	return get[kong.Service](ctx, d.engine, at("services", nameOrID))
}

func (d direct) upstream(ctx context.Context, name string) (*balancer, error) {
	return get[balancer](ctx, d.engine, at("upstreams", name))
}

func (d direct) targets(ctx context.Context, upstream string) ([]*kong.Target, error) {
	targets, err := listAll[kong.Target](ctx, d.engine, at("upstreams", upstream, "targets"))
	if isMissing(err) {
		return nil, nil // the upstream has gone meanwhile
	}

	return targets, err
}

func (d direct) route(ctx context.Context, name string) (*kong.Route, error) {
	return get[kong.Route](ctx, d.engine, at("routes", name))
}

func (d direct) authority(ctx context.Context, id string) (*authorityRow, error) {
	return get[authorityRow](ctx, d.engine, at("ca_certificates", id))
}

// pageSize is the most that Kong lists at once.
const pageSize = "1000"

// listAll reads a whole collection, page by page.
func listAll[T any](ctx context.Context, e *Engine, path string) ([]*T, error) {
	var all []*T

	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}

	first := path + separator + "size=" + pageSize
	for next := first; next != ""; {
		var page struct {
			Data   []*T   `json:"data"`
			Offset string `json:"offset"`
		}
		if err := e.send(ctx, http.MethodGet, next, nil, &page); err != nil {
			return nil, err
		}

		all, next = append(all, page.Data...), ""
		if page.Offset != "" {
			next = first + "&offset=" + url.QueryEscape(page.Offset)
		}
	}

	return all, nil
}

func get[T any](ctx context.Context, e *Engine, path string) (*T, error) {
	entity := new(T)
	err := e.send(ctx, http.MethodGet, path, nil, entity)
	if isMissing(err) {
		return nil, nil //nolint:nilnil // the reader's word for "not there"
	}
	if err != nil {
		return nil, err
	}

	return entity, nil
}

// bulk answers from lists of whole collections. Each list is fetched when somebody first needs it, by one reader while
// the others wait. Kong lists targets for one upstream at a time only.
type bulk struct {
	services  *shared[map[string]*kong.Service] // by name and by id
	upstreams *shared[map[string]*balancer]
	routes    *shared[map[string]*kong.Route]

	direct direct

	mu        sync.Mutex
	targetsOf map[string]*shared[[]*kong.Target] // by upstream
}

func newBulk(e *Engine) *bulk {
	return &bulk{
		services: newShared(func(ctx context.Context) (map[string]*kong.Service, error) {
			list, err := listAll[kong.Service](ctx, e, "/services")

			return index(list, func(s *kong.Service) []*string { return []*string{s.Name, s.ID} }), err
		}),
		upstreams: newShared(func(ctx context.Context) (map[string]*balancer, error) {
			list, err := listAll[balancer](ctx, e, "/upstreams")

			return index(list, func(u *balancer) []*string { return []*string{u.Name} }), err
		}),
		routes: newShared(func(ctx context.Context) (map[string]*kong.Route, error) {
			list, err := listAll[kong.Route](ctx, e, "/routes")

			return index(list, func(r *kong.Route) []*string { return []*string{r.Name, r.ID} }), err
		}),
		direct:    direct{e},
		targetsOf: map[string]*shared[[]*kong.Target]{},
	}
}

func index[T any](list []*T, keys func(*T) []*string) map[string]*T {
	byKey := make(map[string]*T, len(list))
	for _, entity := range list {
		for _, key := range keys(entity) {
			if key != nil {
				byKey[*key] = entity
			}
		}
	}

	return byKey
}

func (b *bulk) service(ctx context.Context, nameOrID string) (*kong.Service, error) {
	services, err := b.services.get(ctx)

	return services[nameOrID], err
}

func (b *bulk) upstream(ctx context.Context, name string) (*balancer, error) {
	upstreams, err := b.upstreams.get(ctx)

	return upstreams[name], err
}

func (b *bulk) route(ctx context.Context, name string) (*kong.Route, error) {
	routes, err := b.routes.get(ctx)

	return routes[name], err
}

func (b *bulk) authority(ctx context.Context, id string) (*authorityRow, error) {
	return b.direct.engine.authorities.one(ctx, func(row *authorityRow) bool { return row.ID == id })
}

func (b *bulk) targets(ctx context.Context, upstream string) ([]*kong.Target, error) {
	b.mu.Lock()
	targets := b.targetsOf[upstream]
	if targets == nil {
		targets = newShared(func(ctx context.Context) ([]*kong.Target, error) { return b.direct.targets(ctx, upstream) })
		b.targetsOf[upstream] = targets
	}
	b.mu.Unlock()

	return targets.get(ctx)
}

// shared is one answer, fetched by the first who asks. An error is not kept: the next one who asks tries again.
type shared[T any] struct {
	fetch func(context.Context) (T, error)
	turn  chan struct{} // holds one element while somebody looks or fetches
	ready bool
	value T
}

func newShared[T any](fetch func(context.Context) (T, error)) *shared[T] {
	return &shared[T]{fetch: fetch, turn: make(chan struct{}, 1)}
}

func (s *shared[T]) get(ctx context.Context) (value T, err error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return value, ctx.Err()
	}

	if !s.ready {
		fetched, err := s.fetch(ctx)
		if err != nil {
			return value, err
		}
		s.value, s.ready = fetched, true
	}

	return s.value, nil
}
