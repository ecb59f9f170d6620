package catalog

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/hashicorp/consul/api"
)

// anonymousToken is the accessor of the token that Consul uses for requests which bring none.
const anonymousToken = "00000000-0000-0000-0000-000000000002"

// errHidden is what a missing thing turns into if it may be there and merely hidden.
var errHidden = errors.New("the provider has no token, and this Consul controls access: it hides from strangers what they may not read, without saying so. " +
	"Give the provider a token (token_file in its block, or CONSUL_HTTP_TOKEN)")

// absent returns the error for something that Consul did not show. That it is not there is certain only to those who
// would see it: Consul says that it left something out, but not to requests without a token.
func (c *Client) absent(ctx context.Context, notFound error) error {
	stranger, err := c.stranger(ctx)

	switch {
	case err != nil:
		return err
	case stranger:
		return errHidden
	default:
		return notFound
	}
}

// stranger reports whether Consul controls access and takes our requests for those of nobody. A token that it does not
// know is an error in every read.
func (c *Client) stranger(ctx context.Context) (bool, error) {
	return shared(ctx, c, "own token", func(ctx context.Context) (bool, error) {
		self, _, err := c.api.ACL().TokenReadSelf((&api.QueryOptions{}).WithContext(ctx))
		if err == nil {
			return self.AccessorID == anonymousToken, nil
		}

		if status, ok := errors.AsType[api.StatusError](err); ok {
			// 401 says that access control is off; anything else is a refusal to name nobody.
			return status.Code != http.StatusUnauthorized, nil
		}

		return false, fmt.Errorf("ask whether Consul controls access: %w", c.asked(err))
	})
}
