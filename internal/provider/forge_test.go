package provider_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// forgeToken is the secret that the forge wants.
const forgeToken = "t0ken-of-the-forge"

// A forge remembers what the pipelines' scripts tell GitHub and GitLab. Neither can be had here, so it has just the requests that their
// manuals describe for comments and pictures, and refuses all others.
type forge struct {
	server *httptest.Server

	mu       sync.Mutex
	comments map[string][]map[string]any // by forge
	pictures []string
	branch   bool
	busy     bool
}

func newForge(t *testing.T) *forge {
	t.Helper()

	f := &forge{comments: map[string][]map[string]any{}}
	mux := http.NewServeMux()

	mux.HandleFunc("GET /repos/o/r/git/matching-refs/heads/plan-pictures", f.refs)
	mux.HandleFunc("POST /repos/o/r/git/refs", f.makeRef)
	mux.HandleFunc("PUT /repos/o/r/contents/{path...}", f.putContent)
	mux.HandleFunc("GET /repos/o/r/issues/7/comments", f.list("github"))
	mux.HandleFunc("POST /repos/o/r/issues/7/comments", f.write("github"))
	mux.HandleFunc("PATCH /repos/o/r/issues/comments/{id}", f.write("github"))
	mux.HandleFunc("POST /projects/1/uploads", f.upload)
	mux.HandleFunc("GET /projects/1/merge_requests/7/notes", f.list("gitlab"))
	mux.HandleFunc("POST /projects/1/merge_requests/7/notes", f.write("gitlab"))
	mux.HandleFunc("PUT /projects/1/merge_requests/7/notes/{id}", f.write("gitlab"))
	mux.HandleFunc("GET /projects/1/repository/commits/abc/merge_requests", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, []map[string]any{{"state": "closed", "labels": []string{"no"}}, {"state": "merged", "labels": []string{"sale", "allow-replace"}}})
	})

	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+forgeToken && r.Header.Get("PRIVATE-TOKEN") != forgeToken {
			http.Error(w, "no token", http.StatusUnauthorized)

			return
		}

		f.mu.Lock()
		defer f.mu.Unlock()

		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(f.server.Close)

	return f
}

// environment is what the forges tell their jobs.
func (f *forge) environment() []string {
	return []string{
		"GITHUB_API_URL=" + f.server.URL, "GITHUB_REPOSITORY=o/r", "GITHUB_SHA=abc", "GITHUB_RUN_ID=12", "GITHUB_RUN_ATTEMPT=1", "GITHUB_TOKEN=" + forgeToken,
		"CI_API_V4_URL=" + f.server.URL, "CI_PROJECT_ID=1", "CI_COMMIT_SHA=abc", "GITLAB_TOKEN=" + forgeToken,
	}
}

func answer(w http.ResponseWriter, body any) {
	if err := json.NewEncoder(w).Encode(body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (f *forge) refs(w http.ResponseWriter, _ *http.Request) {
	if f.branch {
		answer(w, []string{"refs/heads/plan-pictures"})
	} else {
		answer(w, []string{})
	}
}

func (f *forge) makeRef(w http.ResponseWriter, r *http.Request) {
	var body struct{ Ref, SHA string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || f.branch || body.Ref != "refs/heads/plan-pictures" || body.SHA != "abc" {
		http.Error(w, fmt.Sprintf("%v: %+v", err, body), http.StatusUnprocessableEntity)

		return
	}

	f.branch = true
}

func (f *forge) putContent(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Branch  string
		Content []byte // which JSON has in base64
	}

	if f.busy = !f.busy; f.busy {
		http.Error(w, "another job has written to the branch", http.StatusConflict)

		return
	}

	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Branch != "plan-pictures" || !f.branch {
		http.Error(w, fmt.Sprint(err, body.Branch), http.StatusUnprocessableEntity)

		return
	}

	f.pictures = append(f.pictures, string(body.Content))
	answer(w, map[string]any{"content": map[string]string{"html_url": "https://forge.example/" + r.PathValue("path")}})
}

func (f *forge) upload(w http.ResponseWriter, r *http.Request) {
	file, header, err := r.FormFile("file")
	if err != nil || header.Header.Get("Content-Type") != "image/svg+xml" {
		http.Error(w, fmt.Sprint(err, header), http.StatusBadRequest)

		return
	}
	defer file.Close()

	content, err := io.ReadAll(file)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)

		return
	}

	f.pictures = append(f.pictures, string(content))
	answer(w, map[string]string{"url": "/uploads/" + header.Filename})
}

// list answers in pages, after a hundred comments of others.
func (f *forge) list(which string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		others := make([]map[string]any, 100)
		for i := range others {
			others[i] = map[string]any{"id": i, "body": "Well done."}
		}

		if r.URL.Query().Get("page") == "1" {
			answer(w, others)
		} else {
			answer(w, append([]map[string]any{}, f.comments[which]...))
		}
	}
}

func (f *forge) write(which string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Body string }

		if r.Header.Get("Content-Type") != "application/json" { // GitLab takes forms
			request.Body = r.FormValue("body")
		} else if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)

			return
		}

		body := request.Body

		if body == "" || len(body) > 65536 {
			http.Error(w, "the body is too short or too long", http.StatusUnprocessableEntity)

			return
		}

		if r.PathValue("id") != "" {
			f.comments[which][0]["body"] = body
		} else {
			f.comments[which] = append(f.comments[which], map[string]any{"id": 4711, "body": body})
		}
	}
}

// only is the one comment that there is to be.
func (f *forge) only(t *testing.T, which string) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()

	if len(f.comments[which]) != 1 {
		t.Fatalf("There are %d comments on %s, want one that is written anew", len(f.comments[which]), which)
	}

	return fmt.Sprint(f.comments[which][0]["body"])
}

// wantPictures expects pictures on which the machine can be read.
func (f *forge) wantPictures(t *testing.T, machine string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()

	if len(f.pictures) != 4 {
		t.Errorf("%d pictures are stored, want one for each of the four posts", len(f.pictures))
	}

	for _, picture := range f.pictures {
		if !strings.HasPrefix(picture, "<svg") || !strings.Contains(picture, machine) {
			t.Errorf("A picture is not the core map: %.200s", picture)
		}
	}
}
