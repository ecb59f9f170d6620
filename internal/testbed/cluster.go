package testbed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// clusterLimit is for the servers of a cluster to find each other and elect a leader, on a busy machine too.
const clusterLimit = 2 * time.Minute

// ConsulOptions are what the servers of StartConsulServers have beyond those of StartConsul.
type ConsulOptions struct {
	// Servers is how many there are; 0 means one.
	Servers int
	// Authority issues the servers' certificates: they speak HTTPS, and refuse clients without one of their own. Without it
	// they speak HTTP.
	Authority *Authority
	// Token is the token of management. With it the servers deny whatever no token allows, without it they allow all.
	Token string
}

// ConsulServer is a server of a cluster. It keeps its data in files, so that one that was killed goes on where it ended.
type ConsulServer struct {
	bed     *Bed
	name    string
	address string // of all of its ports
	program string
	secure  bool
	client  *http.Client
	daemon  *daemon
}

// Each server has a loopback address of its own, so that its ports, which are below those that a system gives away, are
// free when it is started again.
const (
	clusterHTTP, clusterRPC, clusterSerf = 18500, 18300, 18301
)

var serverConfig = template.Must(template.New("").Parse(`
server             = true
node_name          = "{{.Name}}"
bootstrap_expect   = {{len .Peers}}
retry_join         = [{{range .Peers}}"{{.}}:{{$.Serf}}", {{end}}]
retry_interval     = "1s"
data_dir           = "{{.Folder}}/data"
bind_addr          = "{{.Address}}"
client_addr        = "{{.Address}}"
leave_on_terminate = false
disable_update_check = true
performance { raft_multiplier = 1 }
ports { http = {{if .Authority}}-1{{else}}{{.HTTP}}{{end}}, https = {{if .Authority}}{{.HTTP}}{{else}}-1{{end}}, server = {{.RPC}}, serf_lan = {{.Serf}}, serf_wan = -1, dns = -1, grpc = -1, grpc_tls = -1 }
{{if .Token}}acl { enabled = true, default_policy = "deny", tokens { initial_management = "{{.Token}}", agent = "{{.Token}}" } }
{{end}}{{if .Authority}}tls { defaults { ca_file = "{{.Authority.CAFile}}", cert_file = "{{.Certificate}}", key_file = "{{.Key}}", verify_incoming = true, verify_outgoing = true } }
{{end}}`))

// StartConsulServers starts a cluster and returns its servers when each knows the leader. A bed has one at most.
func (b *Bed) StartConsulServers(ctx context.Context, options ConsulOptions) ([]*ConsulServer, error) {
	program, err := Tool(ctx, "consul")
	if err != nil {
		return nil, err
	}
	client, err := options.client()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	servers := make([]*ConsulServer, max(options.Servers, 1))
	for i := range servers {
		servers[i] = &ConsulServer{
			bed: b, name: fmt.Sprintf("consul-%d", i+1), address: fmt.Sprintf("127.77.%d.%d", b.record.Subnet, i+1),
			program: program, secure: options.Authority != nil, client: client,
		}
	}
	for _, server := range servers {
		if err := server.configure(options, servers); err != nil {
			return nil, fmt.Errorf("configure %s: %w", server.name, err)
		}
		if err := server.spawn(); err != nil {
			return nil, err
		}
	}
	for _, server := range servers {
		if err := server.daemon.ready(ctx, clusterLimit, server.ready); err != nil {
			return nil, err
		}
	}
	b.logf("%d Consul servers are up after %.1f s", len(servers), time.Since(began).Seconds())
	return servers, nil
}

// client is who looks whether the servers are ready.
func (o ConsulOptions) client() (*http.Client, error) {
	if o.Authority == nil {
		return http.DefaultClient, nil
	}
	certFile, keyFile, err := o.Authority.Issue("probe")
	if err != nil {
		return nil, err
	}
	certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("load a client's certificate: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(o.Authority.certificate)
	settings := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: settings}}, nil
}

func (s *ConsulServer) folder() string { return filepath.Join(s.bed.Folder(), s.name) }

func (s *ConsulServer) configure(options ConsulOptions, all []*ConsulServer) (err error) {
	if err := os.Mkdir(s.folder(), 0o700); err != nil {
		return err
	}
	values := struct {
		ConsulOptions
		Name, Address, Folder, Certificate, Key string
		Peers                                   []string
		HTTP, RPC, Serf                         int
	}{ConsulOptions: options, Name: s.name, Address: s.address, Folder: s.folder(), HTTP: clusterHTTP, RPC: clusterRPC, Serf: clusterSerf}
	for _, server := range all {
		values.Peers = append(values.Peers, server.address)
	}
	if s.secure {
		if values.Certificate, values.Key, err = options.Authority.Issue(s.name, s.address); err != nil {
			return err
		}
	}
	var text strings.Builder
	if err := serverConfig.Execute(&text, values); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.folder(), "consul.hcl"), []byte(text.String()), 0o600)
}

func (s *ConsulServer) spawn() (err error) {
	s.daemon, err = s.bed.spawn(s.name, s.bed.logFile(s.name), s.program, "agent", "-log-level=warn", "-config-file="+filepath.Join(s.folder(), "consul.hcl"))
	return err
}

// Start starts a server again that was killed, and returns when it knows the leader.
func (s *ConsulServer) Start(ctx context.Context) error {
	if err := s.spawn(); err != nil {
		return err
	}
	return s.daemon.ready(ctx, clusterLimit, s.ready)
}

// Kill ends the server without a warning.
func (s *ConsulServer) Kill() { s.daemon.kill() }

// Address returns the base URL of the HTTP API.
func (s *ConsulServer) Address() string {
	scheme := "http"
	if s.secure {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s:%d", scheme, s.address, clusterHTTP)
}

// Leads reports whether the server is the leader, as it knows itself.
func (s *ConsulServer) Leads(ctx context.Context) (bool, error) {
	leader, err := s.leader(ctx)
	return leader == fmt.Sprintf("%s:%d", s.address, clusterRPC), err
}

func (s *ConsulServer) ready(ctx context.Context) error {
	leader, err := s.leader(ctx)
	if err == nil && leader == "" {
		err = errors.New("there is no leader")
	}
	return err
}

func (s *ConsulServer) leader(ctx context.Context) (leader string, err error) {
	body, _, err := get(ctx, s.client, s.Address()+"/v1/status/leader")
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(body, &leader); err != nil {
		return "", fmt.Errorf("read the leader from %q: %w", body, err)
	}
	return leader, nil
}
