package kong

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// Kong's own error codes, from kong/db/errors.lua.
const (
	codeSchema     = 2  // its schema does not allow it
	codeForeignKey = 4  // refers to nothing, or is still referred to
	codeUnique     = 5  // another one has this already
	codeReadOnly   = 12 // Kong runs without a database
	codeUnresolved = 13 // refers by name to nothing
	codeReferenced = 19 // a list of ids in something else has it
)

// maxRefusal bounds how much of an answer that is no success is read, in bytes.
const maxRefusal = 1 << 20

// refusal is an answer of Kong's that is no success.
type refusal struct {
	status  int
	Code    int    `json:"code"`
	Message string `json:"message"`

	// Fields says what is wrong, by field.
	Fields map[string]any `json:"fields"`
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("Kong answered %d", r.status)
	if r.Message != "" {
		text += ": " + r.Message
	}

	switch {
	case r.Code == codeReadOnly:
		text += ". This Kong runs without a database and takes its configuration from a file only; give it a database (database = postgres)"
	case r.status == http.StatusUnauthorized || r.status == http.StatusForbidden:
		text += ". Check the token in the provider block's gateway.kong"
	case r.status == http.StatusNotFound && !isMissing(r):
		text += ". Check that admin_url in the provider block is the Admin API (port 8001 or 8444), not the proxy"
	}

	return text
}

// Is makes what Kong or a proxy before it answers while its database or itself is down an error that may pass.
func (r *refusal) Is(target error) bool {
	return target == gateway.ErrAway && r.status >= http.StatusInternalServerError
}

// isMissing says whether Kong answered that there is no such entity. A 404 in other words is not Kong's Admin API.
func isMissing(err error) bool {
	var refused *refusal

	return errors.As(err, &refused) && refused.status == http.StatusNotFound && slices.Contains([]string{"Not found", "SNI not found"}, refused.Message)
}

func hasCode(err error, code int) bool {
	var refused *refusal

	return errors.As(err, &refused) && refused.Code == code
}

// do carries out every request of the client. The client's own errors leave out Kong's error code.
func (e *Engine) do(ctx context.Context, client *http.Client, request *http.Request) (*http.Response, error) {
	started := time.Now()
	response, err := client.Do(request.WithContext(ctx))
	if err != nil {
		return nil, e.unreachable(err)
	}

	tflog.Debug(ctx, "Kong Admin API request", map[string]any{
		"method": request.Method, "path": request.URL.Path, "status": response.StatusCode, "took": time.Since(started).String(),
	})
	if response.StatusCode < http.StatusMultipleChoices {
		return response, nil
	}
	defer response.Body.Close()

	refused := &refusal{status: response.StatusCode}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if err != nil {
		return nil, e.unreachable(err)
	}
	if json.Unmarshal(body, refused) != nil {
		refused.Code, refused.Message = 0, "" // not Kong's JSON, but a proxy's page: the status says all
	}

	return nil, refused
}

func (e *Engine) unreachable(err error) error {
	// The library's text repeats the method and the address, which may hold a password.
	if transport := (*url.Error)(nil); errors.As(err, &transport) {
		err = transport.Err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}

	return gateway.Away(fmt.Errorf("reach Kong's Admin API at %s: %w. Check that Kong runs there and that admin_url in the provider block is right", e.address, err))
}
