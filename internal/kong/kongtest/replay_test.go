package kongtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outside lists what this fake does not answer like a real Kong, and why. The replay fails if an exchange differs that
// is on none of these lines, and if a line stands for no difference at all.
var outside = []struct {
	why   string
	about func(exchange) bool
}{
	{
		"goes through the proxy to a backend, or to a name that it must resolve, and the fake passes nothing on",
		func(e exchange) bool { return !e.admin },
	},
	{
		"reports the health of targets, for which a proxy resolves their names and tries them",
		func(e exchange) bool { return strings.Contains(e.path, "/health") && e.method == http.MethodGet },
	},
	{
		"refuses a key that is not the certificate's, and the recordings' private keys were removed",
		func(e exchange) bool {
			return strings.Contains(e.answer, `"certificate does not match key"`) && strings.HasPrefix(e.path, "/certificates")
		},
	},
	{
		"tells the addresses that one process listened on",
		func(e exchange) bool { return e.path == "/" && strings.Contains(e.answer, `"declarative_config"`) },
	},
	{
		"tells the memory, the connections and the timers of one process",
		func(e exchange) bool { return e.path == "/status" || e.path == "/timers" },
	},
	{
		"lists tags page by page of an inner store, empty pages among them",
		func(e exchange) bool { return e.path == "/tags" && strings.Contains(e.answer, `%7Cnil`) },
	},
}

// least is the share of exchanges, in percent, that must be equal.
const least = 95

// TestFakeAnswersLikeTheRecordedKong replays the recordings in order and compares status and body, ids and times aside.
// KONG_RECORDINGS names another folder of recordings than the test's own.
func TestFakeAnswersLikeTheRecordedKong(t *testing.T) {
	folder, own := os.LookupEnv("KONG_RECORDINGS")
	if !own {
		folder = "testdata"
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.http"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s holds no recordings (*.http): %v", folder, err)
	}
	slices.Sort(files)

	equal, total := 0, 0
	needed := map[string]bool{}
	var before []recording
	for _, file := range files {
		recorded := read(t, file)
		var differences []string
		before, differences = play(t, before, recorded)
		for i, e := range recorded.exchanges {
			total++
			if differences[i] == "" {
				equal++

				continue
			}

			why := reason(e)
			needed[why] = true
			if why == "" {
				t.Errorf("%s: %s: %s %s %s: recorded (-), fake (+):\n%s", filepath.Base(file), e.title, e.method, e.path, e.body, differences[i])
			} else {
				t.Logf("%s: %s: %s", filepath.Base(file), e.title, why)
			}
		}
	}

	for _, line := range outside {
		if folder == "testdata" && !needed[line.why] {
			t.Errorf("no exchange differs because it %s: take the line off the list", line.why)
		}
	}
	fmt.Fprintf(os.Stdout, "kong_replay %d %d\n", equal, total)
	if 100*equal < least*total {
		t.Errorf("%d of %d exchanges are equal, fewer than %d %%", equal, total, least)
	}
}

func reason(e exchange) string {
	for _, line := range outside {
		if line.about(e) {
			return line.why
		}
	}

	return ""
}

// play replays a recording after those that it goes on from, and returns these with it. A recording does not say
// whether its database was empty when it began, so both are tried and the likelier one counts.
func play(t *testing.T, before []recording, recorded recording) (chain []recording, differences []string) {
	t.Helper()

	alone := replay(t, []recording{recorded})
	if len(before) == 0 || recorded.readOnly() {
		return []recording{recorded}, alone
	}

	following := replay(t, append(slices.Clone(before), recorded))
	count := func(differences []string) (different int) {
		for i, difference := range differences {
			if difference != "" && reason(recorded.exchanges[i]) == "" {
				different++
			}
		}

		return different
	}
	if count(following) <= count(alone) {
		return append(before, recorded), following
	}

	return []recording{recorded}, alone
}

// replay sends all exchanges of a chain to one server and returns how the answers of the last recording differ.
func replay(t *testing.T, chain []recording) (differences []string) {
	t.Helper()

	server := New(t)
	for _, recorded := range chain {
		differences = nil
		recorded.prepare(t, server)
		for i, e := range recorded.exchanges {
			server.CutDatabase(recorded.cut(i))
			differences = append(differences, e.replay(t, server))
		}
	}

	return differences
}

// replay sends a request to the fake and returns how its answer differs from the recorded one, "" if it does not. The
// fake's next id and random text are the recorded ones, so that ids, their order and cursors compare as they are.
func (e exchange) replay(t *testing.T, server *Server) string {
	t.Helper()

	server.newID = e.nextID()
	server.newSecret = e.nextSecret()

	request, err := http.NewRequestWithContext(t.Context(), e.method, server.URL+e.path, strings.NewReader(e.body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	if e.contentType != "" {
		request.Header.Set("Content-Type", e.contentType)
	}

	handler := http.Handler(server)
	if !e.admin {
		handler = server.Proxy()
	}
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, request)

	want := map[string]any{"status": e.status, "body": likeness(e.answer)}

	return cmp.Diff(want, map[string]any{"status": response.Code, "body": likeness(response.Body.String())})
}

func decoded(text string) (value any, ok bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(&value)

	return value, err == nil
}
