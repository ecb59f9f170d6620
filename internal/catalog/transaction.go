package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/consul/api"
)

// maxOperations is the most that Consul takes in one transaction (/v1/txn).
const maxOperations = 128

// ErrConflict is returned by a write if what it depends on changed since it was read.
var ErrConflict = errors.New("it was changed by somebody else meanwhile")

// transact carries out all operations or none.
func (c *Client) transact(ctx context.Context, operations api.TxnOps) error {
	_, err := c.carryOut(ctx, operations)

	return err
}

// carryOut carries out all operations or none, and returns what Consul made of each.
func (c *Client) carryOut(ctx context.Context, operations api.TxnOps) (api.TxnResults, error) {
	if len(operations) == 0 {
		return nil, nil
	}

	if len(operations) > maxOperations {
		return nil, fmt.Errorf("a transaction of Consul holds at most %d operations, and this needs %d", maxOperations, len(operations))
	}

	c.forget()
	defer c.forget()

	// The library's Txn turns an HTTP status into words, which would hide whether the write was refused or is lost.
	var answer api.TxnResponse

	_, err := c.api.Raw().Write("/v1/txn", operations, &answer, (&api.WriteOptions{}).WithContext(ctx))

	var status api.StatusError
	if errors.As(err, &status) && status.Code == http.StatusConflict {
		return nil, refusal(status.Body)
	}

	return answer.Results, c.told(err)
}

// rollback is a transaction that Consul refused, and which of its operations it could not carry out.
type rollback struct {
	error
	failures api.TxnErrors
}

func (r *rollback) Unwrap() error { return r.error }

// refusal turns the answer of a rolled-back transaction into an error.
func refusal(body string) error {
	var response api.TxnResponse
	if err := json.Unmarshal([]byte(body), &response); err != nil {
		return fmt.Errorf("the transaction was rolled back: %s", body)
	}

	return &rollback{error: explain(response.Errors), failures: response.Errors}
}

// explain says why a transaction was rolled back. Consul marks a failed check-and-set in words only; a node that is gone
// fails the writes that follow its look-up in the same way.
func explain(failures api.TxnErrors) error {
	texts := make([]string, 0, len(failures))

	for _, failure := range failures {
		if strings.Contains(failure.What, "index is stale") || strings.Contains(failure.What, "Missing node registration") {
			return fmt.Errorf("%w (%s)", ErrConflict, failure.What)
		}

		if strings.Contains(failure.What, "Permission denied") {
			return fmt.Errorf("%s. %s", strings.TrimSuffix(failure.What, "."), forbidden)
		}

		texts = append(texts, failure.What)
	}

	return fmt.Errorf("the transaction was rolled back: %s", strings.Join(texts, "; "))
}
