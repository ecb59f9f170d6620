package traefik

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/catalog"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// maxAge is how old the keys may be by which a deletion is judged that others' keys may forbid.
const maxAge = 2 * time.Second

// gathering is how long a write waits at most for others that may share its transaction.
const gathering = 3 * time.Millisecond

// contents are Traefik's keys in Consul, by the object that they make up and then by their path below the root, as it is
// spelled there.
type contents map[string]map[string]catalog.Key

// store holds the keys as Consul has them and writes to both. What is written at the same time travels in one
// transaction, as far as it fits: Terraform asks for ten changes at once, and Consul spends as long on one key as on a
// hundred.
type store struct {
	consul *catalog.Client
	root   string // with a slash at its end

	turn   chan struct{} // holds one element while somebody reads or writes
	held   contents      // nil if they must be read
	read   time.Time
	shared int // how many edits the last transaction had

	mu      sync.Mutex
	waiting []*edit
	came    chan struct{} // has an element when an edit has come to wait
}

// edit is the change of one object.
type edit struct {
	object string
	// decide returns the keys that the object shall consist of, none to remove it. fresh says that what is held was read
	// within maxAge; if it was not, an error leads to a second decision by newer keys.
	decide func(held contents) (wanted map[string]string, err error)
	fresh  bool // decide only by keys that are not older than maxAge

	done chan error
}

func newStore(consul *catalog.Client, root string) *store {
	return &store{consul: consul, root: strings.Trim(root, "/") + "/", turn: make(chan struct{}, 1), came: make(chan struct{}, 1)}
}

// view calls look with all keys, which must not be changed or kept.
func (s *store) view(ctx context.Context, look func(held contents)) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()

	if err := s.load(ctx, 0); err != nil {
		return err
	}

	look(s.held)

	return nil
}

// change carries out an edit, together with those that wait beside it.
func (s *store) change(ctx context.Context, e edit) error {
	e.done = make(chan error, 1)

	s.mu.Lock()
	s.waiting = append(s.waiting, &e)
	s.mu.Unlock()

	select {
	case s.came <- struct{}{}:
	default: // whoever looks has not looked yet
	}

	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()

	select {
	case err := <-e.done: // whoever was before has carried it out
		return err
	default:
	}

	s.gather(ctx)

	s.mu.Lock()
	together := s.waiting
	s.waiting = nil
	s.mu.Unlock()

	s.shared = len(together)

	// The others are not to fail because the one who writes for them was cancelled; Consul's client bounds each request.
	s.carryOut(context.WithoutCancel(ctx), together)

	return <-e.done
}

// gather waits until as many have come as shared the last transaction, but no longer than for a moment: those whose edits were in it
// come back at about the same time.
func (s *store) gather(ctx context.Context) {
	if s.shared < 2 {
		return
	}

	timer := time.NewTimer(gathering)
	defer timer.Stop()

	for {
		s.mu.Lock()
		enough := len(s.waiting) >= s.shared
		s.mu.Unlock()

		if enough {
			return
		}

		select {
		case <-s.came:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (s *store) enter(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *store) leave() { <-s.turn }

// load reads the keys if they are not held, or older than a limit that is not 0.
func (s *store) load(ctx context.Context, limit time.Duration) error {
	if s.held != nil && (limit == 0 || time.Since(s.read) < limit) {
		return nil
	}

	began := time.Now()

	keys, err := s.consul.Keys(ctx, s.root)
	if err != nil {
		return away(fmt.Errorf("%w. Check consul.address in the provider block, that Consul runs there, and that its token may read these keys", err))
	}

	s.held, s.read = contents{}, began
	for path, key := range keys {
		s.held.put(strings.TrimPrefix(path, s.root), key)
	}

	return nil
}

func (c contents) put(path string, key catalog.Key) {
	object := objectOf(path)
	if c[object] == nil {
		c[object] = map[string]catalog.Key{}
	}

	c[object][path] = key
}

// keys returns the values of an object's keys by their path in lower case: Traefik reads "entrypoints" and
// "entryPoints" alike.
func (c contents) keys(object string) map[string]string {
	keys := make(map[string]string, len(c[object]))
	for path, key := range c[object] {
		keys[strings.ToLower(path)] = key.Value
	}

	return keys
}

// carryOut decides all edits and writes them in as few transactions as hold them. Every edit is told how it went.
func (s *store) carryOut(ctx context.Context, edits []*edit) {
	var batch []*decided

	size := 0
	flush := func() {
		s.write(ctx, batch)
		batch, size = nil, 0
	}

	for _, e := range edits {
		next, err := s.decide(ctx, e)
		if err != nil || len(next.changes) == 0 {
			e.done <- err

			continue
		}

		if size+len(next.changes) > maxChanges || involves(batch, e.object) {
			flush()

			// What was just written may have made this one needless.
			if next, err = s.decide(ctx, e); err != nil || len(next.changes) == 0 {
				e.done <- err

				continue
			}
		}

		batch = append(batch, next)
		size += len(next.changes)
	}

	flush()
}

// decided is an edit with the changes that it takes.
type decided struct {
	*edit

	wanted  map[string]string
	changes []catalog.KeyChange
}

func involves(batch []*decided, object string) bool {
	for _, d := range batch {
		if d.object == object {
			return true
		}
	}

	return false
}

func (s *store) decide(ctx context.Context, e *edit) (*decided, error) {
	limit := time.Duration(0)
	if e.fresh {
		limit = maxAge
	}

	if err := s.load(ctx, limit); err != nil {
		return nil, err
	}

	wanted, err := e.decide(s.held)
	if err != nil && s.renew(ctx) {
		wanted, err = e.decide(s.held)
	}

	if err != nil {
		return nil, err
	}

	changes := transaction(s.held[e.object], s.root, wanted)
	if len(changes) > maxChanges {
		return nil, fmt.Errorf("this takes %d changes in Consul, and at most %d can be made at once. Make it in several applies, "+
			"removing members or paths first", len(changes), maxChanges)
	}

	return &decided{edit: e, wanted: wanted, changes: changes}, nil
}

// renew reads the keys again unless they are new already, and reports whether it did.
func (s *store) renew(ctx context.Context) bool {
	before := s.read

	return s.load(ctx, maxAge) == nil && s.read != before
}

// write carries out a batch in one transaction. If somebody else has changed one of the objects, each is written by
// itself, so that only that one fails.
func (s *store) write(ctx context.Context, batch []*decided) {
	if len(batch) == 0 {
		return
	}

	var changes []catalog.KeyChange
	for _, d := range batch {
		changes = append(changes, d.changes...)
	}

	indexes, err := s.consul.WriteKeys(ctx, changes)
	if err == nil {
		s.apply(batch, indexes)
	} else {
		s.held = nil
	}

	if errors.Is(err, catalog.ErrConflict) && len(batch) > 1 {
		for _, d := range batch {
			s.write(ctx, []*decided{d})
		}

		return
	}

	for _, d := range batch {
		d.done <- s.outcome(ctx, d, err)
	}
}

// apply takes over into what is held what was written.
func (s *store) apply(batch []*decided, indexes map[string]uint64) {
	if s.held == nil {
		return // a conflict elsewhere in the batch
	}

	for _, d := range batch {
		delete(s.held, d.object)

		for path, value := range d.wanted {
			s.held.put(path, catalog.Key{Path: s.root + path, Value: value, Index: indexes[s.root+path]})
		}
	}
}

// outcome explains what became of one edit. A conflict is none if the keys are what they shall be: then an answer was
// lost on the way, and the write carried out.
func (s *store) outcome(ctx context.Context, d *decided, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, catalog.ErrConflict):
		if s.load(ctx, 0) == nil && same(s.held[d.object], d.wanted) {
			return nil
		}

		return fmt.Errorf("%w. Nothing was written: plan again to see what they did", err)
	default:
		return away(fmt.Errorf("%w. Check that Consul runs there and that its token may write keys below %q", err, s.root))
	}
}

func same(stored map[string]catalog.Key, wanted map[string]string) bool {
	for path, value := range wanted {
		if key, found := stored[path]; !found || key.Value != value {
			return false
		}
	}

	return len(stored) == len(wanted)
}

// away marks errors after which the same call may succeed.
func away(err error) error {
	if catalog.IsAway(err) {
		return gateway.Away(err)
	}

	return err
}
