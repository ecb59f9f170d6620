package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/pair"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
	"github.com/hashicorp/consul/api"
)

// Record reads what the members of a pair agree on.
func Record(ctx context.Context, name string, consul *api.Client) (pair.Record, error) {
	return newShared(Config{Pair: name}, consul).record(ctx)
}

// Switch asks for another primary and waits until it is: for planned work, since no write is lost and none fails for longer
// than the clients take to find the new one.
func Switch(ctx context.Context, name, member string, consul *api.Client) error {
	key := newShared(Config{Pair: name}, consul).folder() + "record"

	return poll.Until(ctx, fmt.Sprintf("%s to be the primary", member), func(int) error {
		entry, _, err := consul.KV().Get(key, (&api.QueryOptions{RequireConsistent: true}).WithContext(ctx))
		if err != nil {
			return fmt.Errorf("read the record from Consul: %w", err)
		}

		if entry == nil {
			return fmt.Errorf("the pair %q has no record in Consul: it has not begun", name)
		}

		var record pair.Record
		if err := json.Unmarshal(entry.Value, &record); err != nil {
			return fmt.Errorf("read the record from Consul: %w", err)
		}

		switch {
		case record.Primary == member && record.Wish == "":
			return nil
		case record.Wish == member || record.Primary == member:
			return fmt.Errorf("%w: the primary is %s", poll.ErrNotYet, record.Primary)
		case record.InSync[member] == "":
			return fmt.Errorf("%s does not have every write: it can be the primary once it is in sync again", member)
		}

		record.Wish = member
		record.Epoch++

		if err := wish(ctx, consul, entry, record); err != nil {
			return err
		}

		return fmt.Errorf("%w: the primary is %s", poll.ErrNotYet, record.Primary)
	})
}

// wish changes the record, if nobody else did meanwhile.
func wish(ctx context.Context, consul *api.Client, entry *api.KVPair, record pair.Record) error {
	text, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("change the record: %w", err)
	}

	entry.Value = text

	if _, _, err := consul.KV().CAS(entry, (&api.WriteOptions{}).WithContext(ctx)); err != nil {
		return fmt.Errorf("change the record: %w", err)
	}

	return nil
}

// await reads the record on a machine that boots, whose Consul agent may come later: it waits until Consul answers.
func await(ctx context.Context, read func(context.Context) (pair.Record, error)) (record pair.Record, err error) {
	err = poll.Until(ctx, "Consul to answer", func(int) error {
		within, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()

		if record, err = read(within); err != nil {
			return fmt.Errorf("%w: %w", poll.ErrNotYet, err)
		}

		return nil
	})

	return record, err
}
