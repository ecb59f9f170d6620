package kongtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"gopkg.in/yaml.v3"
)

// recording is a file of exchanges with one server, in order.
type recording struct {
	exchanges []exchange
}

// exchange is one recorded request with its answer.
type exchange struct {
	title        string
	method, path string
	contentType  string
	body         string
	status       int
	answer       string
	admin        bool // the Admin API was asked, not the proxy
}

// read parses a recording: per "### title" a request line, headers, a body and the whole answer. A title alone is a
// remark.
func read(t *testing.T, file string) (recorded recording) {
	t.Helper()

	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	for _, block := range strings.Split("\n"+string(content), "\n### ")[1:] {
		title, rest, _ := strings.Cut(block, "\n")
		request, response, found := strings.Cut(rest, "\nHTTP/1.1 ")
		if !found && strings.TrimSpace(rest) == "" {
			continue
		}
		if !found {
			t.Fatalf("%s: %q has no answer", file, title)
		}

		line, headers, body := splitMessage(request)
		method, target, _ := strings.Cut(strings.TrimSuffix(line, " HTTP/1.1"), " ")
		statusLine, answered, answer := splitMessage(response)
		status, err := strconv.Atoi(statusLine[:3])
		if err != nil {
			t.Fatalf("%s: %q: %v", file, title, err)
		}
		_, proxied := answered["X-Kong-Request-Id"]
		recorded.exchanges = append(recorded.exchanges, exchange{title, method, target, headers["Content-Type"], body, status, answer, !proxied})
	}
	if len(recorded.exchanges) == 0 {
		t.Fatalf("%s holds no exchange", file)
	}

	return recorded
}

func splitMessage(message string) (first string, headers map[string]string, body string) {
	head, body, _ := strings.Cut(message, "\n\n")
	first, lines, _ := strings.Cut(head, "\n")
	headers = map[string]string{}
	for header := range strings.SplitSeq(lines, "\n") {
		name, value, _ := strings.Cut(header, ": ")
		headers[name] = value
	}

	return first, headers, strings.TrimSpace(body)
}

func (r recording) answerTo(path string) string {
	index := slices.IndexFunc(r.exchanges, func(e exchange) bool { return e.method == http.MethodGet && e.path == path && e.admin })
	if index < 0 {
		return ""
	}

	return r.exchanges[index].answer
}

// readOnly says whether the recorded Kong had no database.
func (r recording) readOnly() bool {
	return strings.Contains(r.answerTo("/"), `"database":"off"`) ||
		slices.ContainsFunc(r.exchanges, func(e exchange) bool { return strings.Contains(e.answer, `"code":12`) })
}

// cut says whether the database did not answer at an exchange: a recording shows that by /status alone, and by what is
// answered 500 around it.
func (r recording) cut(at int) bool {
	failed := func(i int) bool {
		e := r.exchanges[i]

		return e.admin && (e.status == http.StatusInternalServerError || unreachable(e))
	}

	first, last := at, at
	for ; first > 0 && failed(first) && failed(first-1); first-- {
	}
	for ; last < len(r.exchanges)-1 && failed(last) && failed(last+1); last++ {
	}

	return failed(at) && slices.ContainsFunc(r.exchanges[first:last+1], unreachable)
}

func unreachable(e exchange) bool {
	return e.path == "/status" && strings.Contains(e.answer, `"reachable":false`)
}

// prepare makes the server what the recorded one was when the recording began: its router, and what the file declared
// that a Kong without a database had read.
func (r recording) prepare(t *testing.T, server *Server) {
	t.Helper()

	flavor := "traditional"
	if strings.Contains(r.answerTo("/"), `"router_flavor":"expressions"`) {
		flavor = "expressions"
	}
	server.setFlavor(flavor)
	if !r.readOnly() {
		return
	}

	WithoutDatabase()(server)
	server.about.flavor = "traditional_compatible"
	var body struct{ Config string }
	if err := json.Unmarshal([]byte(r.answerTo("/config")), &body); err != nil {
		t.Fatalf("the recording of a Kong without a database does not show its configuration: %v", err)
	}
	var declared map[string]any
	if err := yaml.Unmarshal([]byte(body.Config), &declared); err != nil {
		t.Fatal(err)
	}
	if got := server.load(declared); got.status != http.StatusCreated {
		t.Fatalf("the recorded configuration is refused: %v", got.body)
	}
}

// nextID is the id of the row that the recorded answer is about.
func (e exchange) nextID() func() string {
	var body struct {
		ID     string
		Fields struct{ ID any }
	}
	if json.Unmarshal([]byte(e.answer), &body) != nil {
		return uuid.NewString
	}
	if id, ok := body.Fields.ID.(string); ok {
		body.ID = id
	}
	if body.ID == "" {
		return uuid.NewString
	}

	return func() string { return body.ID }
}

var randomText = regexp.MustCompile(`^[0-9A-Za-z]{32}$`)

// nextSecret hands out the random texts of the recorded answer; which field gets which does not matter.
func (e exchange) nextSecret() func() string {
	return func() string { return strings.Repeat("r", len(uuid.Nil.String())-len("----")) }
}

var clockTime = regexp.MustCompile(`^1[0-9]{9}(\.[0-9]+)?$`)

// likeness is a body ready to be compared: JSON decoded, with the times and the random texts of the recording blanked
// (a time that a client chose stays), and everything else as text.
func likeness(body string) any {
	value, ok := decoded(body)
	if !ok {
		return strings.TrimSpace(body)
	}

	return blank(value)
}

// machine are the members of "/" and of health that are ids of a process.
var machine = []string{"node_id", "pids", "timers"}

func blank(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			number, isNumber := below.(json.Number)
			text, _ := below.(string)
			switch {
			case strings.HasSuffix(key, "_at") && isNumber && clockTime.MatchString(number.String()):
				value[key] = "some time"
			case key == "enabled_plugins": // in the order of a Lua table
				names, _ := below.([]any)
				slices.SortFunc(names, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			case slices.Contains(machine, key):
				value[key] = "some id"
			case randomText.MatchString(text):
				value[key] = "some random text"
			case key == "config" && strings.HasPrefix(text, "_format_version"):
				value[key] = declaration(text)
			default:
				value[key] = blank(below)
			}
		}
	case []any:
		for i := range value {
			value[i] = blank(value[i])
		}
	case json.Number:
		if number, err := value.Float64(); err == nil {
			return number
		}
	}

	return value
}

// declaration is a declarative configuration as a value: its text has the order of a Lua table.
func declaration(text string) any {
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return text
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return text
	}
	again, _ := decoded(string(encoded))

	return blank(again)
}
