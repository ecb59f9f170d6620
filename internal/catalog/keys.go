package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/hashicorp/consul/api"
)

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

// Keys asks Consul for all keys below the prefix, by path.
func (c *Client) Keys(ctx context.Context, prefix string) (map[string]Key, error) {
	pairs, meta, err := c.api.KV().List(prefix, (&api.QueryOptions{RequireConsistent: true}).WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("list keys below %q in Consul: %w", prefix, c.asked(err))
	}

	if meta.ResultsFilteredByACLs {
		return nil, fmt.Errorf("list keys below %q in Consul: the token may not read all of them. Give it key_prefix %q with policy \"read\"", prefix, prefix)
	}

	if len(pairs) == 0 {
		if err := c.absent(ctx, nil); err != nil {
			return nil, fmt.Errorf("list keys below %q in Consul: %w", prefix, err)
		}
	}

	keys := make(map[string]Key, len(pairs))
	for _, pair := range pairs {
		keys[pair.Key] = Key{Path: pair.Key, Value: string(pair.Value), Index: pair.ModifyIndex}
	}

	return keys, nil
}

// WriteKeys carries out all changes in one transaction: all of them or none. It returns the new index of each key that
// was set, and ErrConflict (wrapped) if a change's index no longer holds. A delete of a key that is not there succeeds.
func (c *Client) WriteKeys(ctx context.Context, changes []KeyChange) (map[string]uint64, error) {
	operations := make(api.TxnOps, 0, len(changes))
	for _, change := range changes {
		operations = append(operations, &api.TxnOp{KV: change.operation()})
	}

	results, err := c.carryOut(ctx, operations)
	if err != nil {
		return nil, fmt.Errorf("write %d keys to Consul: %w", len(changes), err)
	}

	indexes := make(map[string]uint64, len(results))
	for _, result := range results {
		if result.KV != nil {
			indexes[result.KV.Key] = result.KV.ModifyIndex
		}
	}

	return indexes, nil
}

// IsAway reports whether an error says that Consul did not answer, or that its servers had no leader: the same call may
// succeed shortly.
func IsAway(err error) bool {
	var (
		network net.Error
		status  api.StatusError
	)

	return errors.Is(err, ErrUnanswered) || errors.As(err, &network) || errors.Is(err, io.EOF) ||
		errors.As(err, &status) && status.Code >= http.StatusInternalServerError
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
