package kong

import (
	"context"
	"net/http"
)

// collection holds all rows of one of Kong's collections, read once for all who ask. What this provider writes is taken
// over into it, so that nothing is read twice.
type collection[T any] struct {
	engine *Engine
	path   string
	id     func(*T) string

	turn chan struct{} // holds one element while somebody reads or changes what is held
	rows map[string]*T // by id; nil if they must be read
}

func newCollection[T any](engine *Engine, path string, id func(*T) string) *collection[T] {
	return &collection[T]{engine: engine, path: path, id: id, turn: make(chan struct{}, 1)}
}

// find returns the rows that fit.
func (c *collection[T]) find(ctx context.Context, fits func(*T) bool) ([]*T, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}

	if c.rows == nil {
		rows, err := listAll[T](ctx, c.engine, c.path)
		if err != nil {
			return nil, err
		}

		c.rows = make(map[string]*T, len(rows))
		for _, row := range rows {
			c.rows[c.id(row)] = row
		}
	}

	var found []*T
	for _, row := range c.rows {
		if fits(row) {
			found = append(found, row)
		}
	}

	return found, nil
}

// one returns a row that fits, nil if there is none.
func (c *collection[T]) one(ctx context.Context, fits func(*T) bool) (*T, error) {
	rows, err := c.find(ctx, fits)
	if err != nil || len(rows) == 0 {
		return nil, err
	}

	return rows[0], nil
}

// write sends a change of one row and takes Kong's answer over. If that is lost, everything is read again.
func (c *collection[T]) write(ctx context.Context, method, path string, body any) (*T, error) {
	row := new(T)
	err := c.engine.send(ctx, method, path, body, row)
	c.hold(func() {
		switch {
		case err != nil:
			c.rows = nil
		case c.rows != nil:
			c.rows[c.id(row)] = row
		}
	})

	return row, err
}

// remove deletes the row with the id below a path. One that is not there is fine.
func (c *collection[T]) remove(ctx context.Context, path, id string) error {
	err := c.engine.send(ctx, http.MethodDelete, path+at(id), nil, nil)
	if isMissing(err) {
		err = nil
	}
	c.hold(func() {
		if err != nil {
			c.rows = nil
		}
		delete(c.rows, id)
	})

	return err
}

// forget makes the next one who asks read everything again.
func (c *collection[T]) forget() { c.hold(func() { c.rows = nil }) }

func (c *collection[T]) hold(change func()) {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()

	change()
}
