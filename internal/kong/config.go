package kong

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/kong/go-kong/kong"
)

const (
	dialTimeout    = 5 * time.Second
	requestTimeout = 30 * time.Second // a page of 1000 entities takes a fraction of a second
)

// Config says how Kong's Admin API is reached.
type Config struct {
	AdminURL  string // "http://10.0.0.31:8001"
	Token     string // secret; sent as the Kong-Admin-Token header, empty for none
	TokenFile string // holds the token; read if Token is empty
	Workspace string // of an Enterprise edition, empty for its default one
	CAFile    string // PEM bundle that the server's certificate is verified against, empty for the system's
}

// New returns an engine for the gateway that config names. It reads the CA file and sends nothing: the first read or
// write does, with 5 s to connect and 30 s for each request.
func New(config Config) (*Engine, error) {
	address, err := url.Parse(strings.TrimRight(config.AdminURL, "/"))
	if err != nil || address.Host == "" || (address.Scheme != "http" && address.Scheme != "https") {
		// What was written may hold a password, so it is not repeated.
		return nil, errors.New("the address of Kong's Admin API (admin_url) is not of the form http://host:port or https://host:port")
	}

	roots, err := readRoots(config.CAFile)
	if err != nil {
		return nil, err
	}

	token, err := readToken(config)
	if err != nil {
		return nil, err
	}

	client := &http.Client{
		Timeout: requestTimeout,
		Transport: &authorized{token: token, next: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: dialTimeout,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 10, // Terraform's default parallelism
			IdleConnTimeout:     time.Minute,
		}},
		CheckRedirect: func(request *http.Request, _ []*http.Request) error {
			return fmt.Errorf("it redirects to %s, where the token must not go", request.URL.Host)
		},
	}

	base := address.JoinPath(url.PathEscape(config.Workspace)).String()
	admin, err := kong.NewClient(&base, client)
	if err != nil {
		return nil, fmt.Errorf("configure the client of Kong's Admin API at %s: %w", address.Redacted(), err)
	}

	engine := &Engine{admin: admin, address: address.Redacted(), workspace: config.Workspace}
	engine.bulk = newBulk(engine)
	engine.about = newShared(engine.ask)
	engine.plugins = newCollection(engine, "/plugins", func(row *pluginRow) string { return row.ID })
	engine.consumers = newCollection(engine, "/consumers", func(row *consumerRow) string { return row.ID })
	engine.groups = newCollection(engine, "/acls", func(row *groupRow) string { return row.ID })
	engine.certificates = newCollection(engine, "/certificates", func(row *certificateRow) string { return row.ID })
	engine.authorities = newCollection(engine, "/ca_certificates", func(row *authorityRow) string { return row.ID })
	engine.credentials = map[string]*collection[credentialRow]{}
	for _, kind := range credentialKinds {
		engine.credentials[kind.kind] = newCollection(engine, kind.all, func(row *credentialRow) string { return row.ID })
	}
	admin.SetDoer(engine.do)

	return engine, nil
}

func readToken(config Config) (string, error) {
	if config.Token != "" || config.TokenFile == "" {
		return config.Token, nil
	}

	content, err := os.ReadFile(config.TokenFile)
	if err != nil {
		return "", fmt.Errorf("read the token of Kong's Admin API (token_file): %w", err)
	}

	return strings.TrimSpace(string(content)), nil
}

// readRoots returns nil, which stands for the system's certificates, if no file is named.
func readRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // nil is how crypto/tls spells the system's certificates
	}

	bundle, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("read the CA certificates of Kong's Admin API (ca_file): %w", err)
	}

	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle) {
		return nil, fmt.Errorf("read the CA certificates of Kong's Admin API (ca_file): %s holds no PEM certificate", file)
	}

	return roots, nil
}

// authorized sends the token with every request.
type authorized struct {
	token string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (a *authorized) RoundTrip(request *http.Request) (*http.Response, error) {
	if a.token != "" {
		request = request.Clone(request.Context())
		request.Header.Set("Kong-Admin-Token", a.token)
	}

	return a.next.RoundTrip(request)
}
