package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/consul/api"
)

// maxOperations is the most that Consul takes in one transaction (/v1/txn).
const maxOperations = 128

// ErrConflict is returned by WriteKeys when a key changed since it was read.
var ErrConflict = errors.New("the keys were changed by somebody else meanwhile")

// Key is an entry of Consul's key-value store.
type Key struct {
	Path  string
	Value string
	Index uint64 // ModifyIndex
}

// KeyChange is one step of a transaction on keys.
type KeyChange struct {
	Path   string
	Value  string // for a set
	Delete bool
	Index  *uint64 // if set, the change is refused unless the key still has this index; 0 means that it must not exist
}

// Keys returns all keys below the prefix, by path. One request serves every caller until the next write.
func (c *Client) Keys(ctx context.Context, prefix string) (map[string]Key, error) {
	return shared(ctx, c, "keys below "+prefix, func(ctx context.Context) (map[string]Key, error) {
		pairs, _, err := c.api.KV().List(prefix, (&api.QueryOptions{RequireConsistent: true}).WithContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("list keys below %q in Consul at %s: %w", prefix, c.address, err)
		}

		keys := make(map[string]Key, len(pairs))
		for _, pair := range pairs {
			keys[pair.Key] = Key{Path: pair.Key, Value: string(pair.Value), Index: pair.ModifyIndex}
		}

		return keys, nil
	})
}

// WriteKeys carries out all changes in one transaction: all of them or none. It returns ErrConflict (wrapped) if a
// change's index no longer holds.
func (c *Client) WriteKeys(ctx context.Context, changes []KeyChange) error {
	if len(changes) > maxOperations {
		return fmt.Errorf("write %d keys to Consul: one transaction holds at most %d", len(changes), maxOperations)
	}

	if len(changes) == 0 {
		return nil
	}

	operations := make(api.TxnOps, 0, len(changes))
	for _, change := range changes {
		operations = append(operations, &api.TxnOp{KV: change.operation()})
	}

	c.forget()
	defer c.forget()

	ok, response, _, err := c.api.Txn().Txn(operations, (&api.QueryOptions{}).WithContext(ctx))
	if err != nil {
		return fmt.Errorf("write keys to Consul at %s: %w", c.address, err)
	}

	if !ok {
		return fmt.Errorf("write keys to Consul at %s: %w", c.address, refusal(response.Errors))
	}

	return nil
}

func (change KeyChange) operation() *api.KVTxnOp {
	operation := &api.KVTxnOp{Key: change.Path, Value: []byte(change.Value), Verb: api.KVSet}

	switch {
	case change.Delete && change.Index != nil:
		operation.Verb, operation.Index, operation.Value = api.KVDeleteCAS, *change.Index, nil
	case change.Delete:
		operation.Verb, operation.Value = api.KVDelete, nil
	case change.Index != nil:
		operation.Verb, operation.Index = api.KVCAS, *change.Index
	}

	return operation
}

// refusal turns the errors of a rolled-back transaction into one. Consul marks a failed check-and-set only in words.
func refusal(failures api.TxnErrors) error {
	var texts []string

	for _, failure := range failures {
		if strings.Contains(failure.What, "index is stale") || strings.Contains(failure.What, "due to") {
			return fmt.Errorf("%w (%s)", ErrConflict, failure.What)
		}

		texts = append(texts, failure.What)
	}

	return fmt.Errorf("the transaction was rolled back: %s", strings.Join(texts, "; "))
}
