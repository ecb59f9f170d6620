package kong

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

// consumerRow is a Kong consumer.
type consumerRow struct {
	ID       string    `json:"id,omitempty"`
	Username *string   `json:"username,omitempty"`
	CustomID *string   `json:"custom_id"`
	Tags     []*string `json:"tags"`
}

// CheckConsumer finds nothing that Kong cannot do.
func (*Engine) CheckConsumer(gateway.Consumer) []gateway.Unsupported { return nil }

// PutConsumer creates or replaces a consumer, then its groups and credentials one by one. Those of others stay. Whatever
// step is the last one to be carried out, the next put does the others.
func (e *Engine) PutConsumer(ctx context.Context, consumer gateway.Consumer) error {
	current, err := get[consumerRow](ctx, e, at("consumers", consumer.Name))
	if err != nil {
		return err
	}

	wanted := consumerRow{Tags: withRecord(nil, consumer.Record)}
	if consumer.CustomID != "" {
		wanted.CustomID = &consumer.CustomID
	}
	if current != nil {
		if err := refuseForeign("consumer", consumer.Record, current.Tags); err != nil {
			return err
		}
		wanted.Tags = withRecord(current.Tags, consumer.Record)
	}

	if current == nil && len(consumer.Groups)+len(consumer.Credentials) > 0 {
		wanted.Tags = append(wanted.Tags, new(partialMark))
	}

	if current == nil || or(current.CustomID, "") != consumer.CustomID || !sameTags(current.Tags, wanted.Tags) {
		current, err = e.consumers.write(ctx, http.MethodPut, at("consumers", consumer.Name), wanted)
		if hasCode(err, codeUnique) {
			return fmt.Errorf("another consumer of Kong's has the custom_id %q already. Choose another one", consumer.CustomID)
		}
		if err != nil {
			return fmt.Errorf("put Kong consumer %q: %w", consumer.Name, err)
		}
	}

	if err := e.putGroups(ctx, current.ID, consumer.Groups); err != nil {
		return err
	}

	if err := e.putCredentials(ctx, current.ID, consumer.Credentials); err != nil {
		return err
	}

	return e.completeConsumer(ctx, consumer.Name, wanted)
}

// completeConsumer says that nothing is missing any more. A run that was killed before could not store that it made the
// consumer, and the next one knows by the mark that it may go on.
func (e *Engine) completeConsumer(ctx context.Context, name string, row consumerRow) error {
	complete := slices.DeleteFunc(slices.Clone(row.Tags), isPartial)
	if len(complete) == len(row.Tags) {
		return nil
	}

	row.Tags = complete
	if _, err := e.consumers.write(ctx, http.MethodPut, at("consumers", name), row); err != nil {
		return fmt.Errorf("put Kong consumer %q: %w", name, err)
	}

	return nil
}

func sameTags(a, b []*string) bool {
	return slices.Equal(slices.Sorted(slices.Values(texts(a))), slices.Sorted(slices.Values(texts(b))))
}

// Consumer reads a consumer with its groups and credentials, but for the secrets.
func (e *Engine) Consumer(ctx context.Context, name string) (gateway.Consumer, error) {
	row, err := e.consumers.one(ctx, func(row *consumerRow) bool { return is(row.Username, name) })
	if err != nil {
		return gateway.Consumer{}, err
	}
	if row == nil {
		return gateway.Consumer{}, fmt.Errorf("consumer %q in Kong: %w", name, gateway.ErrNotFound)
	}

	return e.consumerOf(ctx, row)
}

// Consumers reads all consumers that have a name.
func (e *Engine) Consumers(ctx context.Context) ([]gateway.Consumer, error) {
	rows, err := e.consumers.find(ctx, func(row *consumerRow) bool { return row.Username != nil })

	return inOrder(rows, err, func(row *consumerRow) (gateway.Consumer, error) { return e.consumerOf(ctx, row) },
		func(consumer gateway.Consumer) string { return consumer.Name })
}

func (e *Engine) consumerOf(ctx context.Context, row *consumerRow) (gateway.Consumer, error) {
	consumer := gateway.Consumer{Record: recordOf(or(row.Username, ""), row.Tags), CustomID: or(row.CustomID, "")}

	groups, err := e.groups.find(ctx, func(group *groupRow) bool { return group.Consumer.ID == row.ID && marked(group.Tags) })
	if err != nil {
		return consumer, err
	}
	for _, group := range groups {
		consumer.Groups = append(consumer.Groups, group.Group)
	}
	slices.Sort(consumer.Groups)

	for _, kind := range credentialKinds {
		rows, err := e.credentials[kind.kind].find(ctx, func(credential *credentialRow) bool { return credential.Consumer.ID == row.ID })
		if err != nil {
			return consumer, err
		}
		for _, credential := range rows {
			if marked(credential.Tags) {
				consumer.Credentials = append(consumer.Credentials, kind.credential(credential))
			}
		}
	}
	slices.SortFunc(consumer.Credentials, func(a, b gateway.Credential) int { return strings.Compare(a.Kind+a.Name, b.Kind+b.Name) })

	return consumer, nil
}

// DeleteConsumer removes a consumer, with whom Kong removes the groups, credentials and plugins.
func (e *Engine) DeleteConsumer(ctx context.Context, of gateway.Record) error {
	current, err := get[consumerRow](ctx, e, at("consumers", of.Name))
	if err != nil || current == nil {
		return err
	}
	if err := refuseForeign("consumer", of, current.Tags); err != nil {
		return err
	}

	if err := e.consumers.remove(ctx, "/consumers", current.ID); err != nil {
		return fmt.Errorf("delete Kong consumer %q: %w", of.Name, err)
	}
	e.plugins.forget()
	e.groups.forget()
	for _, credentials := range e.credentials {
		credentials.forget()
	}

	return nil
}
