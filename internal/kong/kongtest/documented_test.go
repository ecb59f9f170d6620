package kongtest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFakeAnswersAsKongIsDocumented has what no recording shows, from the documentation and the sources of Kong.
func TestFakeAnswersAsKongIsDocumented(t *testing.T) {
	const form = "application/x-www-form-urlencoded"

	type request struct {
		method, path, media, body string
		status                    int
		say                       string // a part of the answer, all of it if it is empty
	}

	tests := map[string][]request{
		"key sets and keys": {
			{"POST", "/key-sets", "", `{"name": "set"}`, 201, `"name":"set"`},
			{"POST", "/key-sets", "", `{"name": "set"}`, 409, `UNIQUE violation detected on '{name=\"set\"}'`},
			{"POST", "/key-sets/set/keys", "", `{"name": "k", "kid": "1", "jwk": "{\"kid\": \"1\"}"}`, 201, `"pem":null`},
			{"POST", "/keys", "", `{"kid": "2"}`, 400, `at least one of these fields must be non-empty: 'jwk', 'pem'`},
			{"POST", "/keys", "", `{"kid": "2", "jwk": "{\"kid\": \"1\"}"}`, 400, "kid in jwk.kid must be equal to keys.kid"},
			{"POST", "/keys", "", `{"kid": "2", "jwk": "{}", "pem": {"public_key": "x"}}`, 400, "only one or none of these fields must be set: 'jwk', 'pem'"},
			{"POST", "/keys", "", `{"kid": "2", "pem": {}}`, 400, "need to supply a PEM formatted"},
			{"DELETE", "/key-sets/set", "", "", 204, ""},
			{"GET", "/keys/k", "", "", 404, "Not found"}, // it goes with its set
		},
		"vaults": {
			{"PUT", "/vaults/my-env", "", `{"name": "env", "config": {"prefix": "SECRET_"}}`, 200, `"prefix":"my-env"`},
			{"POST", "/vaults", "", `{"name": "env", "prefix": "env"}`, 400, "must not be one of: env"},
			{"POST", "/vaults", "", `{"name": "aws", "prefix": "my-aws"}`, 400, "vault 'aws' is not installed"},
		},
		"forms": {
			{"POST", "/services", form, "name=8080&host=h&port=8080&tags=a", 201, `"name":"8080"`}, // a text stays one
			{"POST", "/services", form, "host=h&port=http", 400, "port: expected an integer"},
			{"PATCH", "/services/8080", form, "enabled=false&path=", 200, `"path":null`},
			{"POST", "/services/8080/plugins", form, "name=rate-limiting&config.minute=5&config.policy=local&protocols[1]=http", 201, `"minute":5`},
			{"POST", "/services/8080/routes", form, "paths[]=/a&paths[]=/b&strip_path=false", 201, `"paths":["/a","/b"]`},
		},
		"what only asks": {
			{"OPTIONS", "/services", "", "", 204, ""},
			{"OPTIONS", "/nothing", "", "", 404, "Not found"},
			{"HEAD", "/services", "", "", 200, ""},
			{"HEAD", "/services/none", "", "", 404, ""},
			{"GET", "/plugins/enabled", "", "", 200, `"key-auth"`},
			{"POST", "/plugins/enabled", "", "", 405, "Method not allowed"},
			{"GET", "/cache/services", "", "", 404, "Not found"},
			{"DELETE", "/cache", "", "", 204, ""},
			{"GET", "/status", "", "", 200, `"reachable":true`},
			{"GET", "/clustering/data-planes", "", "", 400, "run as Control Plane"},
			{"GET", "/filter-chains", "", "", 400, "when wasm is enabled"},
		},
		"authorities": {
			{"POST", "/ca_certificates", "", `{"cert": "no certificate"}`, 400, "invalid certificate"},
			{"POST", "/ca_certificates", "", `{}`, 400, "cert: required field missing"},
		},
	}

	for name, requests := range tests {
		t.Run(name, func(t *testing.T) {
			server := New(t)
			for _, r := range requests {
				request := httptest.NewRequest(r.method, r.path, strings.NewReader(r.body))
				request.Header.Set("Content-Type", map[bool]string{true: "application/json", false: r.media}[r.media == ""])
				response := httptest.NewRecorder()
				server.ServeHTTP(response, request)

				body := strings.ReplaceAll(response.Body.String(), `\u0026`, "&")
				if response.Code != r.status || !strings.Contains(body, r.say) || r.say == "" && body != "" {
					t.Errorf("%s %s %s: %d %s, wanted %d and %q", r.method, r.path, r.body, response.Code, body, r.status, r.say)
				}
			}
		})
	}
}

func TestDatabaseThatDoesNotAnswerFailsWhatNeedsIt(t *testing.T) {
	server := New(t)
	call(t, server, http.MethodPut, "/services/web", `{"host": "h"}`, nil)
	server.CutDatabase(true)

	var said []any
	for _, path := range []string{"/services/web", "/", "/status", "/schemas/services"} {
		said = append(said, call(t, server, http.MethodGet, path, "", nil))
	}
	if difference := cmp.Diff([]any{500, 500, 200, 200}, said); difference != "" {
		t.Errorf("statuses: wanted (-), given (+):\n%s", difference)
	}

	server.CutDatabase(false)
	if status := call(t, server, http.MethodGet, "/services/web", "", nil); status != http.StatusOK {
		t.Errorf("when the database is back the service is answered %d", status)
	}
}

func TestRecordingShowsWhenItsDatabaseDidNotAnswer(t *testing.T) {
	down := exchange{path: "/services", status: 500, admin: true}
	told := exchange{path: "/status", status: 200, admin: true, answer: `{"database":{"reachable":false}}`}
	well := exchange{path: "/services", status: 200, admin: true}
	recorded := recording{exchanges: []exchange{down, well, down, told, down, well, down}}

	var cut []bool
	for i := range recorded.exchanges {
		cut = append(cut, recorded.cut(i))
	}
	if difference := cmp.Diff([]bool{false, false, true, true, true, false, false}, cut); difference != "" {
		t.Errorf("cut: wanted (-), seen (+):\n%s", difference)
	}
}
