package catalog

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"
)

// order is what one caller wants written: all of it or nothing.
type order struct {
	node       *api.NodeTxnOp // makes the node; nil if it is there
	operations api.TxnOps

	answer chan error // gets one
}

func (o *order) size() int { return len(o.operations) + 1 }

// home names the node that the order makes.
func (o *order) home() string { return o.node.Node.Partition + "/" + o.node.Node.Node }

const (
	// gather is how long a further transaction waits for company while others are under way.
	gather = 2 * time.Millisecond
	// maxHelpers is how many transactions are under way beside the first.
	maxHelpers = 4
)

// batch collects orders while a transaction is under way; the next one takes all that have come. Without a wait of its
// own it makes one transaction a caller on an idle Consul, and few large ones on a busy or distant one.
//
// Of those that Terraform makes at the same time many would wait for the rest to come back, so there are helpers, for orders whose
// nodes are there: two that make the same node would be in each other's way.
type batch struct {
	mu      sync.Mutex
	waiting []*order
	sending bool
	helpers int
	called  bool // the last of them gathers
}

// commit writes the order, with what others want written at the same time. What fails in it fails for it alone: one
// that depends on something that has changed gets ErrConflict (wrapped).
func (c *Client) commit(ctx context.Context, o *order) error {
	o.answer = make(chan error, 1)

	c.batch.mu.Lock()
	c.batch.waiting = append(c.batch.waiting, o)
	lead := !c.batch.sending
	help := !lead && c.batch.call()
	c.batch.sending = true
	c.batch.mu.Unlock()

	switch { // others depend on it, so it goes on if this caller is cancelled; each request has its limit
	case lead:
		go c.send(context.WithoutCancel(ctx))
	case help:
		time.AfterFunc(gather, func() { c.help(context.WithoutCancel(ctx)) })
	}

	select {
	case err := <-o.answer:
		return err
	case <-ctx.Done():
		if c.batch.withdraw(o) {
			return ctx.Err()
		}

		return <-o.answer // it is on its way
	}
}

// call reports whether a further helper is to come. The caller holds the mutex.
func (b *batch) call() bool {
	if b.called || b.helpers == maxHelpers {
		return false
	}

	b.called = true
	b.helpers++

	return true
}

// withdraw takes back an order that has not been sent.
func (b *batch) withdraw(o *order) bool {
	b.mu.Lock()
	defer b.mu.Unlock()

	before := len(b.waiting)
	b.waiting = slices.DeleteFunc(b.waiting, func(other *order) bool { return other == o })

	return len(b.waiting) < before
}

// take returns the orders of the next transaction. If there are none, nobody is sending any more.
func (b *batch) take() []*order {
	b.mu.Lock()
	defer b.mu.Unlock()

	taken := b.next(func(*order) bool { return true })
	b.sending = len(taken) > 0

	return taken
}

// assist is take for a helper.
func (b *batch) assist(made map[string]*api.Node) []*order {
	b.mu.Lock()
	defer b.mu.Unlock()

	taken := b.next(func(o *order) bool { return o.node == nil || made[o.home()] != nil })
	if len(taken) == 0 {
		b.helpers--
	}

	return taken
}

// next takes as many orders as a transaction has room for. The caller holds the mutex.
func (b *batch) next(ready func(*order) bool) (taken []*order) {
	operations := 0

	b.waiting = slices.DeleteFunc(b.waiting, func(o *order) bool {
		fits := len(taken) == 0 || operations+o.size() <= maxOperations
		if !fits || !ready(o) {
			return false
		}

		taken = append(taken, o)
		operations += o.size()

		return true
	})

	return taken
}

func (c *Client) send(ctx context.Context) {
	for orders := c.batch.take(); len(orders) > 0; orders = c.batch.take() {
		c.write(ctx, orders)
	}
}

func (c *Client) help(ctx context.Context) {
	c.batch.mu.Lock()
	c.batch.called = false
	c.batch.mu.Unlock()

	for orders := c.batch.assist(c.madeNodes()); len(orders) > 0; orders = c.batch.assist(c.madeNodes()) {
		c.write(ctx, orders)
	}
}

// write sends the orders until each has its answer.
func (c *Client) write(ctx context.Context, orders []*order) {
	for len(orders) > 0 {
		operations, owners := compose(orders, c.madeNodes())
		err := c.transact(ctx, operations)

		rollback, ok := errors.AsType[*rollback](err)

		switch {
		case ok:
			orders = rollback.answer(orders, owners)
		case err != nil && len(orders) > 1 && !errors.Is(err, ErrUnanswered):
			for _, o := range orders { // such as a token that may not write one of them
				c.write(ctx, []*order{o})
			}

			return
		default:
			if err == nil {
				c.hasMade(orders)
			}

			for _, o := range orders {
				o.answer <- err
			}

			return
		}
	}
}

// compose makes one transaction of the orders. owners has the order of each operation. A node that several need is made
// once; made has those that were.
func compose(orders []*order, made map[string]*api.Node) (operations api.TxnOps, owners []*order) {
	for _, o := range orders {
		own := o.operations
		if o.node != nil && made[o.home()] == nil {
			made[o.home()] = &o.node.Node
			own = append(api.TxnOps{{Node: o.node}}, own...)
		}

		for _, operation := range own {
			operations = append(operations, operation)
			owners = append(owners, o)
		}
	}

	return operations, owners
}

// answer tells the orders that failed, and returns the others. Somebody else has made a node that could not be made: all
// that need it have to look at it.
func (r *rollback) answer(orders, owners []*order) []*order {
	failed := map[*order]bool{}

	fail := func(o *order, failure *api.TxnError) {
		if !failed[o] {
			failed[o] = true
			o.answer <- explain(api.TxnErrors{failure})
		}
	}

	for _, failure := range r.failures {
		if failure.OpIndex < 0 || failure.OpIndex >= len(owners) {
			continue
		}

		culprit := owners[failure.OpIndex]
		fail(culprit, failure)

		for _, o := range orders {
			if culprit.node != nil && o.node != nil && o.home() == culprit.home() {
				fail(o, failure)
			}
		}
	}

	if len(failed) == 0 { // nobody in particular: everybody tries again alone
		for _, o := range orders {
			o.answer <- ErrConflict
		}

		return nil
	}

	return slices.DeleteFunc(slices.Clone(orders), func(o *order) bool { return failed[o] })
}
