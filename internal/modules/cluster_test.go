package modules_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/consul/api"
)

// patience is for anything that a cluster does on a busy machine.
const patience = 2 * time.Minute

// consulTokens are made up, each with the policy that it is for.
var consulTokens = map[string]string{
	"management": "7a1f0000-0000-4000-8000-000000000001",
	"agent":      "7a1f0000-0000-4000-8000-000000000002",
	"services":   "7a1f0000-0000-4000-8000-000000000003",
	"mysql-pair": "7a1f0000-0000-4000-8000-000000000004",
	"gateway":    "7a1f0000-0000-4000-8000-000000000005",
}

// member is a Consul agent that runs from what its machine was told, on a loopback address of its own.
type member struct {
	name, address, folder string
	daemon                *testbed.Beside
}

// cluster is three servers and the agent of another machine, web-1.
type cluster struct {
	program string
	bed     *testbed.Bed
	members map[string]*member
	servers []string
	ca      *x509.CertPool
}

// startCluster renders the module and starts what it tells each machine, with the paths in a folder of the test and the
// loopback addresses of each agent in place of 127.0.0.1.
func startCluster(t *testing.T) *cluster {
	t.Helper()

	program, err := testbed.Tool(t.Context(), "consul")
	if err != nil {
		t.Fatal(err)
	}

	c := &cluster{program: program, bed: testbed.For(t), members: map[string]*member{}, ca: x509.NewCertPool()}
	addresses := map[string]string{}
	subnet := net.ParseIP(c.bed.Address(1)).To4()[2] // no other bed has it

	for i, name := range []string{"consul-1", "consul-2", "consul-3", "web-1"} {
		addresses[name] = fmt.Sprintf("127.78.%d.%d", subnet, i+1)
		c.members[name] = &member{name: name, address: addresses[name], folder: filepath.Join(c.bed.Folder(), name)}
	}

	client := addresses["web-1"]
	delete(addresses, "web-1")
	c.servers = slices.Sorted(maps.Keys(addresses))

	secrets := consulSecrets(t, program, slices.Sorted(maps.Values(addresses)))
	c.ca.AppendCertsFromPEM([]byte(secrets["ca_certificate"].(string)))

	told := render(t, read(t, "testdata/consul.tf"), map[string]any{"secrets": secrets, "servers": addresses, "client": client})

	for name, m := range c.members {
		told[name].writeTo(t, m.folder, strings.NewReplacer(
			"/etc/", filepath.Join(m.folder, "etc")+"/",
			"/var/lib/consul", filepath.Join(m.folder, "data"),
			"/usr/local/bin/consul", program,
			`{{ GetInterfaceIP \"lan\" }}`, m.address,
			`"client_addr":"127.0.0.1"`, fmt.Sprintf(`"client_addr":%q`, m.address),
		))
		c.start(t, m)
	}

	return c
}

// consulSecrets are what a caller of the module makes with consul keygen, consul tls and uuidgen.
func consulSecrets(t *testing.T, program string, servers []string) map[string]any {
	t.Helper()

	authority, err := testbed.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	certificate, key, err := authority.Issue("server.dc1.consul", append(servers, "127.0.0.1")...)
	if err != nil {
		t.Fatal(err)
	}

	gossip, err := exec.CommandContext(t.Context(), program, "keygen").Output()
	if err != nil {
		t.Fatal(err)
	}

	return map[string]any{
		"gossip_key": strings.TrimSpace(string(gossip)), "tokens": consulTokens,
		"ca_certificate": read(t, authority.CAFile()), "server_certificate": read(t, certificate), "server_key": read(t, key),
	}
}

func (c *cluster) start(t *testing.T, m *member) {
	t.Helper()

	arguments := []string{"agent", "-config-dir=" + filepath.Join(m.folder, "etc/consul.d")}
	if m.name == "web-1" { // a guest's host name is its node's name
		arguments = append(arguments, "-node="+m.name)
	}

	m.daemon = startBeside(t, c.bed, m.name, append([]string{c.program}, arguments...)...)
}

// script is a program that a member's machine was given, told where that machine's agent and files are.
func (c *cluster) script(t *testing.T, name, script string) *exec.Cmd {
	t.Helper()

	m := c.members[name]
	command := exec.CommandContext(t.Context(), "bash", filepath.Join(m.folder, "usr/local/sbin", script))
	command.Env = append(os.Environ(), "CONSUL_HTTP_ADDR=http://"+m.address+":8500", "CONSUL_ACL_FOLDER="+filepath.Join(m.folder, "etc/consul-acl"))

	return command
}

// finish runs a program to its end. Its error has what was printed.
func finish(command *exec.Cmd) error {
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}

	return nil
}

// client is the API of a member's agent, as a process on that machine uses it.
func (c *cluster) client(t *testing.T, name, token string) *api.Client {
	t.Helper()

	client, err := api.NewClient(&api.Config{Address: c.members[name].address + ":8500", Token: token})
	if err != nil {
		t.Fatal(err)
	}

	return client
}

// secure is the API of a server as Terraform uses it, over HTTPS.
func (c *cluster) secure(t *testing.T, name string) *api.Client {
	t.Helper()

	config := api.DefaultConfig()
	config.Address, config.Scheme, config.Token = c.members[name].address+":8501", "https", consulTokens["management"]
	config.Transport.TLSClientConfig = &tls.Config{RootCAs: c.ca}

	client, err := api.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}

	return client
}

// eventually repeats what may take a while until it succeeds.
func eventually(t *testing.T, attempt func() error) {
	t.Helper()

	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()

	deadline := time.NewTimer(patience)
	defer deadline.Stop()

	for {
		err := attempt()
		if err == nil {
			return
		}

		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Errorf("After %s still: %v", patience, err)

			return
		}
	}
}
