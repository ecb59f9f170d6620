// Package kongtest is a Kong Admin API with a memory, for tests. It behaves like Kong 3.9.1 with a database: defaults,
// PUT and PATCH, error codes and texts, tags, pages, unique and foreign keys. Its collections are tables of fields
// (see schema), and recorded answers of a real Kong are replayed against it.
//
// It passes no traffic on, so it knows nothing of health and DNS. Its Proxy answers what needs no receiver.
package kongtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Request is one request that the server has received.
type Request struct {
	Method string
	Path   string // as sent, without the query
	Token  string // the Kong-Admin-Token header
}

// IsWrite says whether the request may change something.
func (r Request) IsWrite() bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// Server is the fake. It is an http.Handler, so that a test can also put it behind a server of its own.
type Server struct {
	URL string // "http://127.0.0.1:..." of the server that New started

	mu        sync.Mutex
	entities  map[string]*entity
	store     map[string]map[string]*row // by collection and id, of the workspace that is asked
	replacing bool                       // the request is a PUT
	asked     string                     // the key in the request's path

	workspaces map[string]map[string]map[string]*row
	about      about
	readOnly   bool // there is no database
	cutOff     bool // there is one, and it does not answer
	created    int
	requests   []Request
	token      string
	fault      fault

	newID     func() string
	anyID     func() string // of a row that no answer shows
	newSecret func() string
	now       func() time.Time
}

type fault struct {
	in      int // writes until it strikes, 0 for never
	applied bool
}

// TB is what New needs of a testing.TB. Package testing would add its flags to every program that this one is part of.
type TB interface {
	Helper()
	Cleanup(cleanup func())
}

// An Option makes a Kong other than the usual one: open source 3.9.1 with a database and the traditional router.
type Option func(*Server)

// Version makes the server say that it is another release, such as "3.4.2" or, with the Enterprise edition, "3.8.0.1".
func Version(version string) Option { return func(s *Server) { s.about.version = version } }

// Expressions gives the server the router of expressions.
func Expressions() Option { return func(s *Server) { s.setFlavor("expressions") } }

// WithoutDatabase gives the server a configuration that no request but POST /config can change.
func WithoutDatabase() Option {
	return func(s *Server) { s.readOnly, s.about.database = true, "off" }
}

// Workspaces makes the server an Enterprise edition with these workspaces beside "default".
func Workspaces(names ...string) Option {
	return func(s *Server) {
		s.about.edition = "enterprise"
		for _, name := range names {
			s.workspaces[name] = s.emptyStore()
			s.workspaces[name]["ca_certificates"] = s.store["ca_certificates"] // which belong to no workspace
		}
	}
}

const defaultWorkspace = "default"

// New starts an empty Kong on the loopback address and stops it when the test ends.
func New(t TB, options ...Option) *Server {
	t.Helper()

	s := &Server{
		entities:   map[string]*entity{},
		workspaces: map[string]map[string]map[string]*row{},
		about:      usual,
		newID:      uuid.NewString,
		anyID:      uuid.NewString,
		newSecret:  func() string { return strings.ReplaceAll(uuid.NewString(), "-", "") },
		now:        time.Now,
	}
	for _, e := range schema() {
		s.entities[e.name] = e
	}
	s.workspaces[defaultWorkspace] = s.emptyStore()
	s.store = s.workspaces[defaultWorkspace]
	for _, option := range options {
		option(s)
	}

	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL

	return s
}

func (s *Server) emptyStore() map[string]map[string]*row {
	store := map[string]map[string]*row{}
	for name := range s.entities {
		store[name] = map[string]*row{}
	}

	return store
}

// CutDatabase makes the server one whose database does not answer, or answers again.
func (s *Server) CutDatabase(cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cutOff = cut
}

// RequireToken makes the server answer 401 to requests whose Kong-Admin-Token header is another one.
func (s *Server) RequireToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// FailWrite makes the n-th write from now (1 is the next one) answer 500 with Kong's body, once. If applied is set
// the write has its effect and only its answer is lost; otherwise it has none.
func (s *Server) FailWrite(n int, applied bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault{n, applied}
}

// Requests returns what the server has received since it started or since the last call of Requests.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil

	return requests
}

// ServeHTTP answers as Kong's Admin API does. One request is served at a time, as a transaction.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()

	request := Request{Method: r.Method, Path: r.URL.EscapedPath(), Token: r.Header.Get("Kong-Admin-Token")}
	s.requests = append(s.requests, request)

	if s.token != "" && request.Token != s.token {
		send(w, answer{http.StatusUnauthorized, map[string]any{"message": "Invalid RBAC credentials"}})

		return
	}

	strikes := false
	if request.IsWrite() && s.fault.in > 0 {
		s.fault.in--
		strikes = s.fault.in == 0
	}
	if strikes && !s.fault.applied {
		send(w, unexpected)

		return
	}

	if w, r = withoutBody(w, r); r.Method == http.MethodOptions {
		send(w, s.options(r))

		return
	}

	input, unsupported, malformed := readBody(r)
	switch {
	case unsupported:
		sendUnsupported(w)
	case malformed != nil:
		send(w, *malformed)
	case strikes:
		s.serve(r, input)
		send(w, unexpected)
	default:
		send(w, s.serve(r, input))
	}
}

func send(w http.ResponseWriter, a answer) {
	w.Header().Set("Server", "kong/3.9.1")
	if a.body == nil {
		w.WriteHeader(a.status)

		return
	}

	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	if err := json.NewEncoder(w).Encode(a.body); err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
}

// sendUnsupported is nginx's own page, which Kong lets through.
func sendUnsupported(w http.ResponseWriter) {
	const page = "<html>\n<head><title>415 Unsupported Media Type</title></head>\n<body>\n" +
		"<center><h1>415 Unsupported Media Type</h1></center>\n</body>\n</html>\n"

	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(http.StatusUnsupportedMediaType)
	if _, err := w.Write([]byte(page)); err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
}
