package route

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	askLimit = 5 * time.Second

	// inARow is how many answers must be right one after the other: each worker process of a gateway takes a change by
	// itself, and each connection may meet another one.
	inARow = 3
)

// wait is how the proxy itself is asked whether it serves the route.
type wait struct {
	URL    types.String `tfsdk:"url"`
	Host   types.String `tfsdk:"host"`
	Status types.Int64  `tfsdk:"status"`
}

func (w *wait) note() map[string]string {
	if w == nil {
		return nil
	}

	note := map[string]string{"url": w.URL.ValueString()}
	if !w.Host.IsNull() {
		note["host"] = w.Host.ValueString()
	}

	if !w.Status.IsNull() {
		note["status"] = strconv.FormatInt(w.Status.ValueInt64(), 10)
	}

	return note
}

func newWait(note map[string]string) *wait {
	if len(note) == 0 {
		return nil
	}

	w := &wait{URL: types.StringValue(note["url"]), Host: types.StringNull(), Status: types.Int64Null()}
	if host, given := note["host"]; given {
		w.Host = types.StringValue(host)
	}

	if status, err := strconv.ParseInt(note["status"], 10, 64); err == nil {
		w.Status = types.Int64Value(status)
	}

	return w
}

// Await asks the proxy for the route until it answers from behind it.
func (m *model) Await(ctx context.Context) error {
	if m.Wait == nil {
		return nil
	}

	target, err := url.Parse(m.Wait.URL.ValueString())
	if err != nil {
		return err
	}

	host := target.Host
	if len(m.Hosts) > 0 {
		host = strings.Replace(m.Hosts[0], gateway.AllBelow, "any", 1)
	}

	if !m.Wait.Host.IsNull() {
		host = m.Wait.Host.ValueString()
	}

	name, _, found := strings.Cut(host, ":")
	if !found || net.ParseIP(host) != nil {
		name = host
	}

	client := &http.Client{
		Timeout: askLimit,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			// The question is whether the route is there. Nothing is sent that a stranger must not see.
			TLSClientConfig: &tls.Config{ServerName: name, InsecureSkipVerify: true}, //nolint:gosec // see above
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	right := 0

	return poll.Until(ctx, fmt.Sprintf("the gateway at %s to serve %s", target.Redacted(), host), func(int) error {
		for right < inARow {
			if err := m.Wait.ask(ctx, client, target, host); err != nil {
				right = 0

				return fmt.Errorf("%w: %w", poll.ErrNotYet, err)
			}

			right++
		}

		return nil
	})
}

func (w *wait) ask(ctx context.Context, client *http.Client, target *url.URL, host string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return err
	}

	request.Host = host

	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()

	if !w.accepts(response.StatusCode) {
		return fmt.Errorf("it answered with the status %d", response.StatusCode)
	}

	return nil
}

// accepts tells an answer from behind the route from those that a gateway gives by itself.
func (w *wait) accepts(status int) bool {
	if !w.Status.IsNull() {
		return int64(status) == w.Status.ValueInt64()
	}

	switch status {
	case http.StatusNotFound, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false
	default:
		return true
	}
}
