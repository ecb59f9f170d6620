package modules_test

import (
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/miekg/dns"
)

func TestConsulClusterFormsFromWhatItsMachinesAreTold(t *testing.T) {
	t.Parallel() // it mostly waits, as the other one does

	c := startCluster(t)

	t.Run("each configuration is valid", c.everyConfigurationIsValid)
	t.Run("policies and tokens are made by all servers at once, and once", c.policiesAreMadeOnce)
	t.Run("members find each other, and talk in secret", c.membersFindEachOther)
	t.Run("a service in an agent's configuration is found by name", c.serviceIsFoundByName)
	t.Run("nobody does more than the token allows", c.nobodyDoesMore)
	t.Run("a connection without a certificate is refused", c.strangersAreRefused)
	t.Run("a machine that stops answers until the servers know that it leaves", c.leavingIsKnownFirst)
	t.Run("a server stops when the others are a majority", c.majorityIsLeftBehind)
	t.Run("the loss of the leader is noticed and survived", c.leaderIsLost)
}

func (c *cluster) everyConfigurationIsValid(t *testing.T) {
	for _, m := range c.members {
		output, err := exec.CommandContext(t.Context(), c.program, "validate", filepath.Join(m.folder, "etc/consul.d")).CombinedOutput()
		if err != nil || !strings.Contains(string(output), "Configuration is valid") {
			t.Errorf("Consul refuses the configuration of %s: %v\n%s", m.name, err, output)
		}
	}
}

func (c *cluster) membersFindEachOther(t *testing.T) {
	servers := c.secure(t, c.servers[0])

	eventually(t, func() error {
		members, err := servers.Agent().Members(false)
		if err != nil {
			return err
		}

		alive := 0

		for _, m := range members {
			if m.Status == 1 {
				alive++
			}
		}

		if alive != len(c.members) {
			return fmt.Errorf("%d of %d members are alive", alive, len(c.members))
		}

		return nil
	})

	for _, name := range []string{c.servers[0], "web-1"} {
		eventually(t, func() error {
			self, err := c.client(t, name, consulTokens["management"]).Agent().Self()
			if err != nil {
				return err
			}

			if encrypted := self["Stats"]["serf_lan"].(map[string]any)["encrypted"]; encrypted != "true" {
				return fmt.Errorf("the gossip of %s is not encrypted: %v", name, encrypted)
			}

			return nil
		})
	}
}

// apply runs the script of a server as its unit does: until it succeeds.
func (c *cluster) apply(t *testing.T, name string) {
	eventually(t, func() error { return finish(c.script(t, name, "consul-acl")) })
}

func (c *cluster) policiesAreMadeOnce(t *testing.T) {
	var together sync.WaitGroup
	for _, name := range c.servers {
		together.Go(func() { c.apply(t, name) })
	}

	together.Wait()

	first := c.written(t)
	if len(first) < 10 { // five policies and five tokens, beside Consul's own
		t.Fatalf("Only these were made: %v", first)
	}

	c.apply(t, c.servers[0])

	if second := c.written(t); !maps.Equal(first, second) {
		t.Errorf("The script changed what was right already:\n%v\n%v", first, second)
	}

	// Somebody changes a policy by hand: the next start of a server sets it right.
	servers := c.secure(t, c.servers[0])

	policy, _, err := servers.ACL().PolicyReadByName("dns", nil)
	if err != nil {
		t.Fatal(err)
	}

	policy.Rules = `node_prefix "" { policy = "write" }`
	if _, _, err := servers.ACL().PolicyUpdate(policy, nil); err != nil {
		t.Fatal(err)
	}

	c.apply(t, c.servers[1])

	if policy, _, err := servers.ACL().PolicyReadByName("dns", nil); err != nil || strings.Contains(policy.Rules, "write") {
		t.Errorf("The policy that somebody changed was not set right: %+v, %v", policy, err)
	}
}

// written is when each policy and token was written last.
func (c *cluster) written(t *testing.T) map[string]uint64 {
	t.Helper()

	acl := c.secure(t, c.servers[0]).ACL()

	policies, _, err := acl.PolicyList(nil)
	if err != nil {
		t.Fatal(err)
	}

	tokens, _, err := acl.TokenList(nil)
	if err != nil {
		t.Fatal(err)
	}

	all := map[string]uint64{}
	for _, policy := range policies {
		all["policy "+policy.Name] = policy.ModifyIndex
	}

	for _, token := range tokens {
		all["token "+token.AccessorID] = token.ModifyIndex
	}

	return all
}

func (c *cluster) serviceIsFoundByName(t *testing.T) {
	eventually(t, func() error { return c.resolves("web-1") })
}

// resolves asks a member's agent for the web machines, and holds the answer against the module's defaults.
func (c *cluster) resolves(name string) error {
	question := new(dns.Msg).SetQuestion("web.service.consul.", dns.TypeA)

	answer, _, err := new(dns.Client).Exchange(question, c.members[name].address+":8600")
	if err != nil {
		return err
	}

	if len(answer.Answer) != 1 {
		return fmt.Errorf("there is no web.service.consul: %v", answer)
	}

	record, ok := answer.Answer[0].(*dns.A)
	if !ok || record.A.String() != c.members["web-1"].address || record.Hdr.Ttl != 2 {
		return fmt.Errorf("web.service.consul is not web-1 for 2 s: %v", answer.Answer[0])
	}

	return nil
}

func (c *cluster) nobodyDoesMore(t *testing.T) {
	anonymous := c.client(t, "web-1", "")
	if instances, _, err := anonymous.Health().Service("web", "", true, nil); err != nil || len(instances) != 1 {
		t.Errorf("Without a token the services are not to be seen: %v, %v", instances, err)
	}

	refused := map[string]error{
		"the anonymous writes a key": func() error {
			_, err := anonymous.KV().Put(&api.KVPair{Key: "mysql-pair/shop/record"}, nil)

			return err
		}(),
		"the anonymous registers a service": anonymous.Agent().ServiceRegister(&api.AgentServiceRegistration{Name: "web"}),
		"an agent's configuration names a writer of MySQL": c.client(t, "web-1", consulTokens["services"]).Agent().
			ServiceRegister(&api.AgentServiceRegistration{Name: "mysql-writer"}),
	}
	for what, err := range refused {
		if err == nil || !strings.Contains(err.Error(), "Permission denied") {
			t.Errorf("It is not refused that %s: %v", what, err)
		}
	}

	pair := c.client(t, "web-1", consulTokens["mysql-pair"])
	if _, err := pair.KV().Put(&api.KVPair{Key: "mysql-pair/shop/record", Value: []byte("{}")}, nil); err != nil {
		t.Errorf("A pair's agent may not write its record: %v", err)
	}

	if _, _, err := pair.Session().Create(&api.SessionEntry{Name: "shop", TTL: "10s"}, nil); err != nil {
		t.Errorf("A pair's agent may not have a session: %v", err)
	}
}

func (c *cluster) strangersAreRefused(t *testing.T) {
	stranger, err := net.Dial("tcp", c.members[c.servers[0]].address+":8300")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()

	if err := stranger.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}

	// The byte that begins Consul's protocol without TLS: the server hangs up on it.
	if _, err := stranger.Write([]byte{0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}

	if n, err := stranger.Read(make([]byte, 1)); n > 0 || err == nil || os.IsTimeout(err) {
		t.Errorf("A server talks to somebody without TLS: %d bytes, %v", n, err)
	}
}

// leader returns the server that leads, and another one.
func (c *cluster) leader(t *testing.T) (leader, other string) {
	t.Helper()

	must(t, func() error {
		address, err := c.secure(t, c.servers[0]).Status().Leader()
		if err != nil {
			return err
		}

		at := slices.IndexFunc(c.servers, func(name string) bool { return address == c.members[name].address+":8300" })
		if at < 0 {
			return fmt.Errorf("the leader is none of the servers: %q", address)
		}

		leader, other = c.servers[at], c.servers[(at+1)%len(c.servers)]

		return nil
	})

	return leader, other
}

func (c *cluster) leaderIsLost(t *testing.T) {
	lost, other := c.leader(t)
	c.members[lost].daemon.Kill()

	began := time.Now()

	eventually(t, func() error { return c.resolves("web-1") })

	eventually(t, func() error {
		checks, _, err := c.secure(t, other).Health().Node(lost, nil)
		if err != nil {
			return err
		}

		if checks.AggregatedStatus() != api.HealthCritical {
			return fmt.Errorf("%s counts as %s", lost, checks.AggregatedStatus())
		}

		return nil
	})

	t.Logf("The loss of the leader was known to its successor after %.1f s.", time.Since(began).Seconds())

	if _, err := c.secure(t, other).KV().Put(&api.KVPair{Key: "written", Value: []byte("with two servers")}, nil); err != nil {
		t.Errorf("Two of three servers do not write: %v", err)
	}
}
