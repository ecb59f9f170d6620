package catalog

import (
	"context"
	"errors"
	"slices"
	"sync"

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

// batch collects orders while a transaction is under way; the next one takes all that have come. Without a wait of its
// own it makes one transaction a caller on an idle Consul, and few large ones on a busy or distant one.
type batch struct {
	mu      sync.Mutex
	waiting []*order
	sending bool
}

// commit writes the order, with what others want written at the same time. What fails in it fails for it alone: one
// that depends on something that has changed gets ErrConflict (wrapped).
func (c *Client) commit(ctx context.Context, o *order) error {
	o.answer = make(chan error, 1)

	c.batch.mu.Lock()
	c.batch.waiting = append(c.batch.waiting, o)
	lead := !c.batch.sending
	c.batch.sending = true
	c.batch.mu.Unlock()

	if lead {
		// Others depend on it, so it goes on if this caller is cancelled. Each request has its limit.
		go c.send(context.WithoutCancel(ctx))
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

	count, operations := 0, 0
	for _, o := range b.waiting {
		if count > 0 && operations+o.size() > maxOperations {
			break
		}

		count++
		operations += o.size()
	}

	taken := b.waiting[:count:count]
	b.waiting = b.waiting[count:]
	b.sending = count > 0

	return taken
}

func (c *Client) send(ctx context.Context) {
	for {
		orders := c.batch.take()
		if len(orders) == 0 {
			return
		}

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
