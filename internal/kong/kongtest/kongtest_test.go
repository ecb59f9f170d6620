package kongtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// call sends one request and decodes the answer into a pointer, unless that is nil.
func call(t *testing.T, server *Server, method, path, body string, into any) (status int) {
	t.Helper()

	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if into != nil {
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}

	return response.StatusCode
}

func TestPagesGoOnAfterTheirLastRowWasDeleted(t *testing.T) {
	const total = 7

	server := New(t)
	for i := range total {
		call(t, server, http.MethodPut, fmt.Sprintf("/services/s-%d", i), `{"host": "h"}`, nil)
	}

	seen := map[string]bool{}
	for next := "/services?size=2"; next != ""; {
		var page struct {
			Data []struct{ ID string }
			Next string
		}
		call(t, server, http.MethodGet, next, "", &page)
		for _, service := range page.Data {
			if seen[service.ID] {
				t.Fatalf("the service %s is listed twice", service.ID)
			}
			seen[service.ID] = true
			call(t, server, http.MethodDelete, "/services/"+service.ID, "", nil)
		}
		next = page.Next
	}
	if len(seen) != total {
		t.Errorf("%d services were listed, not %d", len(seen), total)
	}
}

func TestFailedWriteStrikesOnceWithOrWithoutEffect(t *testing.T) {
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprintf("applied %t", applied), func(t *testing.T) {
			server := New(t)
			server.FailWrite(2, applied)
			for i, want := range []int{http.StatusOK, http.StatusInternalServerError, http.StatusOK} {
				if status := call(t, server, http.MethodPut, fmt.Sprintf("/services/s-%d", i), `{"host": "h"}`, nil); status != want {
					t.Errorf("write %d: status %d, not %d", i+1, status, want)
				}
			}
			want := map[bool]int{false: http.StatusNotFound, true: http.StatusOK}[applied]
			if status := call(t, server, http.MethodGet, "/services/s-1", "", nil); status != want {
				t.Errorf("the service that the failed write was about: status %d, not %d", status, want)
			}
		})
	}
}

func TestOtherTokensAreRefused(t *testing.T) {
	server := New(t)
	server.RequireToken("right")
	if status := call(t, server, http.MethodGet, "/services", "", nil); status != http.StatusUnauthorized {
		t.Errorf("status %d without a token", status)
	}
}
