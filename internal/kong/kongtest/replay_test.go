package kongtest

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// outside lists the recorded exchanges that this fake does not answer like Kong, by file and title, and why. The replay
// fails if one of them matches after all, and if any other one does not match.
var outside = map[string]string{
	"03-services-read-update-delete.http: plugin on the service": "plugins are not a collection of the fake yet",
	"06-targets.http: health":                                    "reports DNS answers and health, which only a proxy has",
	"06-targets.http: balancer health":                           "reports DNS answers and health, which only a proxy has",
}

// Each chain was recorded on one database, in this order.
var chains = [][]string{
	{"02-services-create.http", "03-services-read-update-delete.http"},
	{"04-routes.http"},
	{"05-upstreams.http", "06-targets.http"},
	{"10-tags-pagination.http"},
}

func TestFakeAnswersLikeTheRecordedKong(t *testing.T) {
	seen := map[string]bool{}
	for _, chain := range chains {
		server := New(t)
		for _, file := range chain {
			for _, exchange := range readExchanges(t, file) {
				name := file + ": " + exchange.title
				t.Run(name, func(t *testing.T) {
					difference := replay(t, server, exchange)
					why, excepted := outside[name]
					switch {
					case excepted && difference == "":
						t.Errorf("this exchange matches now; take it off the list (%q)", why)
					case !excepted && difference != "":
						t.Errorf("%s %s %s: recorded (-), fake (+):\n%s", exchange.method, exchange.path, exchange.body, difference)
					}
				})
				seen[name] = true
			}
		}
	}

	for name := range outside {
		if !seen[name] {
			t.Errorf("no recorded exchange is called %q", name)
		}
	}
}

// exchange is one recorded request with its answer.
type exchange struct {
	title        string
	method, path string
	contentType  string
	body         string
	status       int
	answer       string
}

// readExchanges parses a recording: per "### title" a request line, headers, a body and the whole answer.
func readExchanges(t *testing.T, file string) []exchange {
	t.Helper()

	content, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}

	var exchanges []exchange
	for _, block := range strings.Split("\n"+string(content), "\n### ")[1:] {
		title, rest, _ := strings.Cut(block, "\n")
		request, response, found := strings.Cut(rest, "\nHTTP/1.1 ")
		if !found {
			t.Fatalf("%s: %q has no answer", file, title)
		}

		line, contentType, body := splitMessage(request)
		method, target, _ := strings.Cut(strings.TrimSuffix(line, " HTTP/1.1"), " ")
		statusLine, _, answer := splitMessage(response)
		status, err := strconv.Atoi(statusLine[:3])
		if err != nil {
			t.Fatalf("%s: %q: %v", file, title, err)
		}
		exchanges = append(exchanges, exchange{title, method, target, contentType, body, status, answer})
	}
	if len(exchanges) == 0 {
		t.Fatalf("%s holds no exchange", file)
	}

	return exchanges
}

func splitMessage(message string) (first, contentType, body string) {
	head, body, _ := strings.Cut(message, "\n\n")
	first, headers, _ := strings.Cut(head, "\n")
	for header := range strings.SplitSeq(headers, "\n") {
		if value, found := strings.CutPrefix(header, "Content-Type: "); found {
			contentType = value
		}
	}

	return first, contentType, strings.TrimSpace(body)
}

// replay sends a request to the fake and returns how its answer differs from the recorded one, "" if it does not. The
// fake's next id is the recorded one, so that ids, their order and cursors compare as they are.
func replay(t *testing.T, server *Server, recorded exchange) string {
	t.Helper()

	server.newID = uuid.NewString
	if id := recordedID(recorded.answer); id != "" {
		server.newID = func() string { return id }
	}
	request, err := http.NewRequestWithContext(t.Context(), recorded.method, server.URL+recorded.path, strings.NewReader(recorded.body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	if recorded.contentType != "" {
		request.Header.Set("Content-Type", recorded.contentType)
	}

	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}

	want := map[string]any{"status": recorded.status, "body": decoded(recorded.answer)}

	return cmp.Diff(want, map[string]any{"status": response.StatusCode, "body": decoded(string(got))})
}

func recordedID(answer string) string {
	var body struct {
		ID     string
		Fields struct{ ID any }
	}
	if json.Unmarshal([]byte(answer), &body) != nil {
		return ""
	}
	if id, ok := body.Fields.ID.(string); ok {
		return id
	}

	return body.ID
}

var clockTime = regexp.MustCompile(`^1[0-9]{9}(\.[0-9]+)?$`)

// decoded is a body ready to be compared: JSON decoded, with the times of the recording blanked (a time that a client
// chose stays), and everything else as text.
func decoded(body string) any {
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return strings.TrimSpace(body)
	}

	return blankTimes(value)
}

func blankTimes(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			number, isNumber := below.(json.Number)
			if strings.HasSuffix(key, "_at") && isNumber && clockTime.MatchString(number.String()) {
				value[key] = "some time"
			} else {
				value[key] = blankTimes(below)
			}
		}
	case []any:
		for i := range value {
			value[i] = blankTimes(value[i])
		}
	case json.Number:
		if number, err := value.Float64(); err == nil {
			return number
		}
	}

	return value
}
