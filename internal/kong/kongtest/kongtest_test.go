package kongtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// call sends one request and decodes the answer.
func call(t *testing.T, server *Server, method, path, body string) (status int, answer map[string]any) {
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
	if response.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
	}

	return response.StatusCode, answer
}

func TestPagesGoOnAfterTheirLastRowWasDeleted(t *testing.T) {
	const total = 7

	server := New(t)
	for i := range total {
		call(t, server, http.MethodPut, fmt.Sprintf("/services/s-%d", i), `{"host": "h"}`)
	}

	seen := map[any]bool{}
	next := any("/services?size=2")
	for next != nil {
		_, answer := call(t, server, http.MethodGet, next.(string), "")
		for _, value := range answer["data"].([]any) {
			id := value.(map[string]any)["id"]
			if seen[id] {
				t.Fatalf("the service %v is listed twice", id)
			}
			seen[id] = true
			call(t, server, http.MethodDelete, fmt.Sprintf("/services/%v", id), "")
		}
		next = answer["next"]
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
				if status, _ := call(t, server, http.MethodPut, fmt.Sprintf("/services/s-%d", i), `{"host": "h"}`); status != want {
					t.Errorf("write %d: status %d, not %d", i+1, status, want)
				}
			}
			want := map[bool]int{false: http.StatusNotFound, true: http.StatusOK}[applied]
			if status, _ := call(t, server, http.MethodGet, "/services/s-1", ""); status != want {
				t.Errorf("the service that the failed write was about: status %d, not %d", status, want)
			}
		})
	}
}

func TestOtherTokensAreRefused(t *testing.T) {
	server := New(t)
	server.RequireToken("right")
	if status, _ := call(t, server, http.MethodGet, "/services", ""); status != http.StatusUnauthorized {
		t.Errorf("status %d without a token", status)
	}
}
