package catalog

import (
	"net/http"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// logged writes a debug line for each request. The token is in a header, which is not logged.
type logged struct{ next http.RoundTripper }

func (l logged) RoundTrip(request *http.Request) (*http.Response, error) {
	began := time.Now()
	response, err := l.next.RoundTrip(request)

	fields := map[string]any{
		"method": request.Method, "path": request.URL.Path, "milliseconds": time.Since(began).Milliseconds(),
	}

	if err == nil {
		fields["status"] = response.StatusCode
	} else {
		fields["error"] = err.Error()
	}

	tflog.Debug(request.Context(), "Consul request", fields)

	return response, err
}
