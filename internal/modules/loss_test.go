package modules_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/load"
)

// steady is how many requests of each kind have to be answered for the shop to count as being served.
const steady = 10

// platform is the layout two-host-ha, without its Redis servers.
type platform struct {
	consul, traefik, pair string // programs

	lan      *lan
	hosts    map[string]string // by machine
	machines map[string]*machine
	members  map[string]*database
}

// TestHostThatDiesUnderLoadTakesNoWriteWithIt loses all machines of one host at once, among them the one with the virtual address and the
// primary, while clients read and write. It judges no times: this machine may be busy.
func TestHostThatDiesUnderLoadTakesNoWriteWithIt(t *testing.T) {
	p := raise(t)
	p.together(t)
	p.createOrders(t)

	visitors := p.lan.add(t, "visitors", "10.0.0.200", guest{})
	clients := startLoad(t, visitors, "10.0.0.100")

	began := time.Now()
	must(t, func() error { return clients.Served(began, steady) })

	host := p.together(t)
	lost := time.Now()
	p.lan.lose(t, slices.Collect(maps.Values(p.on(host)))...)

	dead := time.Now()
	must(t, func() error { return clients.Served(dead, steady) })

	clients.End()

	for _, kind := range slices.Sorted(maps.Keys(load.Kinds)) {
		t.Logf("The longest time without an answer of kind %s was %.1f s; in all %d requests were answered and %d failed.",
			kind, clients.Gap(kind, lost).Seconds(), clients.Answered(kind, began), clients.Failed(kind, began))
	}

	var primary string

	must(t, func() (err error) {
		primary, err = p.primary(t)

		return err
	})

	if p.hosts[primary] == host {
		t.Fatalf("The primary is %s, on %s, which is lost.", primary, host)
	}

	stored := p.orders(t, primary)
	acknowledged := clients.Acknowledged()
	missing := slices.DeleteFunc(slices.Clone(acknowledged), func(id int) bool { return stored[strconv.Itoa(id)] })
	t.Logf("%d writes were acknowledged, of which %s has %d.", len(acknowledged), primary, len(acknowledged)-len(missing))

	if len(missing) > 0 {
		t.Errorf("Acknowledged writes are lost: %v", missing)
	}
}

// must is eventually for what the rest of the test needs.
func must(t *testing.T, attempt func() error) {
	t.Helper()

	eventually(t, attempt)

	if t.Failed() {
		t.FailNow()
	}
}

// raise starts the machines in the order in which they wait for each other.
func raise(t *testing.T) *platform {
	t.Helper()

	p := &platform{pair: buildPair(t), lan: newLAN(t), machines: map[string]*machine{}, members: map[string]*database{}}

	var err error
	if p.consul, err = testbed.Tool(t.Context(), "consul"); err != nil {
		t.Fatal(err)
	}

	if p.traefik, err = testbed.Tool(t.Context(), "traefik"); err != nil {
		t.Fatal(err)
	}

	p.tell(t)

	servers := p.tier("consul")
	for _, m := range servers {
		m.start(t, p.consul, "agent", "-config-dir="+m.path("/etc/consul.d"))
	}

	for name, m := range p.tier("mysql") {
		p.members[name] = newDatabase(t, name, "", m.folder)
		p.members[name].setUp(t)
	}

	must(t, func() error {
		said, err := servers["consul-1"].run(t, servers["consul-1"].path("/usr/local/sbin/consul-acl"))
		if err != nil {
			return fmt.Errorf("make policies: %w: %s", err, said)
		}

		return nil
	})

	for _, tier := range []string{"gateway", "mysql", "web"} {
		for _, m := range p.tier(tier) {
			m.start(t, p.consul, "agent", "-config-dir="+m.path("/etc/consul.d"), "-node="+m.name)
		}
	}

	p.boot(t)

	return p
}

// boot starts what the machines are for, each after its agent of Consul.
func (p *platform) boot(t *testing.T) {
	t.Helper()

	shop, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}

	for name, m := range p.machines {
		must(t, m.findsConsul(t))

		switch strings.Split(name, "-")[0] {
		case "mysql":
			p.members[name].start(t, p.pair, func(program string, argv ...string) { m.startAs(t, program, argv...) })
		case "web":
			m.startAs(t, "shop", "env", asShop+"="+name, shop)
		case "gateway":
			token := strings.TrimSpace(read(t, m.path("/etc/traefik/secrets.env")))
			m.startAs(t, "traefik", "env", token, p.traefik, "--configfile="+m.path("/etc/traefik/traefik.yml"))
			m.startKeepalived(t)
		}
	}
}

// findsConsul asks the machine's own agent for the leader.
func (m *machine) findsConsul(t *testing.T) func() error {
	return func() error {
		said, err := m.run(t, "curl", "--silent", "--show-error", "--fail", "http://127.0.0.1:8500/v1/status/leader")
		if err == nil && said == `""` {
			err = errors.New("there is none")
		}

		if err != nil {
			return fmt.Errorf("find the leader of Consul from %s: %w: %s", m.name, err, said)
		}

		return nil
	}
}

// tell makes the machines with what the module tells them.
func (p *platform) tell(t *testing.T) {
	t.Helper()

	provider, err := cli.BuildProvider(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	applied := apply(t, read(t, "testdata/two-host-ha.tf"), map[string]any{"secrets": map[string]any{
		"consul":         consulSecrets(t, p.consul, nil),
		"mysql":          map[string]any{"replication": replicationPassword, "users": map[string]string{"shop": shopPassword}},
		"redis_password": "only-for-the-tests",
	}}, provider)

	var machines map[string]struct{ Host, Address string }
	if err := applied.Output(t.Context(), "machines", &machines); err != nil {
		t.Fatal(err)
	}

	told := guests(t, applied.Folder)
	p.hosts = map[string]string{}

	for name, at := range machines {
		if strings.HasPrefix(name, "redis-") {
			continue // a test of its own has them
		}

		// The test's folder is open to root only, and so is what nobody may run.
		p.machines[name] = p.lan.add(t, name, at.Address, told[name], "script_user nobody", "script_user root")
		p.hosts[name] = at.Host
	}
}

// tier are machines by the beginning of their names.
func (p *platform) tier(name string) map[string]*machine {
	all := maps.Clone(p.machines)
	maps.DeleteFunc(all, func(machine string, _ *machine) bool { return !strings.HasPrefix(machine, name+"-") })

	return all
}

// on are the machines of a host.
func (p *platform) on(host string) map[string]*machine {
	all := maps.Clone(p.machines)
	maps.DeleteFunc(all, func(machine string, _ *machine) bool { return p.hosts[machine] != host })

	return all
}

// status is what the pair says of itself, asked on any machine that lives.
func (p *platform) status(t *testing.T) (string, error) {
	t.Helper()

	var failures []error

	for _, member := range p.members {
		said, err := p.operate(t, member, "status")
		if err == nil {
			return said, nil
		}

		failures = append(failures, fmt.Errorf("ask %s: %w: %s", member.name, err, said))
	}

	return "", errors.Join(failures...)
}

func (p *platform) operate(t *testing.T, member *database, command ...string) (string, error) {
	t.Helper()

	env := slices.DeleteFunc(slices.Clone(member.env), func(line string) bool { return !strings.HasPrefix(line, "CONSUL_") })

	return p.machines[member.name].run(t, slices.Concat([]string{"env"}, env, []string{p.pair, "--pair=shop"}, command)...)
}

// primary is the member that takes writes.
func (p *platform) primary(t *testing.T) (string, error) {
	t.Helper()

	said, err := p.status(t)
	if err != nil {
		return "", err
	}

	for name := range p.members {
		if strings.Contains(said, name+"\tprimary") {
			return name, nil
		}
	}

	return "", fmt.Errorf("nobody is the primary: %s", said)
}

// together waits until one host has the virtual address and the primary, with a replica that has every write, and returns it. A
// primary on the other one is switched, as before planned work.
func (p *platform) together(t *testing.T) (host string) {
	t.Helper()

	must(t, func() error {
		said, err := p.status(t)
		if err != nil {
			return err
		}

		if !strings.Contains(said, "\treplica, in sync") {
			return fmt.Errorf("the pair is %q", said)
		}

		primary, err := p.primary(t)
		if err != nil {
			return err
		}

		if host = p.hosts[holder(t, p.tier("gateway"), "")]; host == p.hosts[primary] {
			return nil
		}

		if err := p.switchFrom(t, primary); err != nil {
			return err
		}

		return fmt.Errorf("%s has the address, and %s is the primary until it is switched", host, primary)
	})

	return host
}

// switchFrom makes the other member the primary.
func (p *platform) switchFrom(t *testing.T, primary string) error {
	t.Helper()

	for name, member := range p.members {
		if name == primary {
			continue
		}

		if said, err := p.operate(t, member, "switch", name); err != nil {
			return fmt.Errorf("switch to %s: %w: %s", name, err, said)
		}
	}

	return nil
}

// createOrders makes the shop's table by its own account, which a replica refuses.
func (p *platform) createOrders(t *testing.T) {
	t.Helper()

	must(t, func() error {
		primary, err := p.primary(t)
		if err != nil {
			return err
		}

		m := p.machines[primary]
		said, err := m.run(t, "mariadb", "--host="+m.address, "--user=shop", "--password="+shopPassword,
			"--execute=CREATE TABLE IF NOT EXISTS shop.orders (id INT PRIMARY KEY)")
		if err != nil {
			return fmt.Errorf("create the table on %s: %w: %s", primary, err, said)
		}

		return nil
	})
}

// orders are those that a member has.
func (p *platform) orders(t *testing.T, member string) map[string]bool {
	t.Helper()

	text, err := p.machines[member].run(t, "mariadb", "--socket="+filepath.Join(p.members[member].folder, "socket"),
		"--batch", "--skip-column-names", "--execute=SELECT id FROM shop.orders")
	if err != nil {
		t.Fatalf("Unable to read the orders of %s: %v: %s", member, err, text)
	}

	all := map[string]bool{}
	for id := range strings.FieldsSeq(text) {
		all[id] = true
	}

	return all
}
