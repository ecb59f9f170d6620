//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/load"
)

// A layout is the module hundred-billion-gmv at the size of a test: two gateways, three web machines, three Consul servers, a MySQL pair
// and a Redis Cluster of six on three hosts.
type layout struct {
	hosts     map[string]*testbed.Host
	run       *cli.CLI
	variables map[string]any
	address   string
	machines  map[string]struct{ Host, Address string }
	hurry     bool     // whether Redis is to be away no longer than the module says
	estimate  estimate // of Redis
}

// TestLargePlatformGrowsAndShrinksUnderVisitors takes the platform through what a sale is: another web machine, a gateway of twice the size, one web
// machine less; and then loses a host.
func TestLargePlatformGrowsAndShrinksUnderVisitors(t *testing.T) {
	l := raiseLayout(t)
	clients := startVisitors(t.Context(), l.address)
	clients.served(t, "web-1", "web-2", "web-3")

	t.Run("one web machine more", func(t *testing.T) { l.addWeb(t, clients) })
	t.Run("larger gateways", func(t *testing.T) { l.growGateways(t, clients) })
	t.Run("one web machine less", func(t *testing.T) { l.removeWeb(t, clients) })
	clients.leave(t)
	t.Run("loss of a host", l.loseHostOfRedis)
}

func raiseLayout(t *testing.T) *layout {
	t.Helper()

	bed, hosts, variables := startHosts(t)
	l := &layout{hosts: hosts, run: prepare(t, "testdata/hundred-billion-gmv"), variables: variables, address: bed.Address(100), hurry: os.Getenv("E2E_LOSSES") != ""}
	l.variables["secrets"], l.variables["web_machines"] = secrets(t), 3

	began := time.Now()

	l.apply(t)
	t.Logf("applied after %.0f s: %d machines", time.Since(began).Seconds(), len(l.machines))

	if err := l.run.Output(t.Context(), "redis", &l.estimate); err != nil {
		t.Fatal(err)
	}

	eventually(t, "an order, which takes every tier", l.order)
	t.Logf("the first order was taken %.0f s after the apply began", time.Since(began).Seconds())
	eventually(t, "the Redis Cluster", func(ctx context.Context) error { return l.redisWhole(ctx, slices.Sorted(maps.Keys(l.hosts))...) })

	return l
}

// apply applies the variables as they are, and wants nothing to be left to do.
func (l *layout) apply(t *testing.T) {
	t.Helper()

	if err := l.run.SetVariables(l.variables); err != nil {
		t.Fatal(err)
	}

	if err := l.run.Apply(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	if changes, text, err := l.run.Plan(t.Context()); err != nil || changes {
		t.Errorf("The plan after the apply has changes (%v):\n%s", err, text)
	}

	if err := l.run.Output(t.Context(), "machines", &l.machines); err != nil {
		t.Fatal(err)
	}
}

// wantPlan wants the variables as they are to change nothing but what is named, each as "create web-4".
func (l *layout) wantPlan(t *testing.T, want ...string) {
	t.Helper()

	if err := l.run.SetVariables(l.variables); err != nil {
		t.Fatal(err)
	}

	if _, _, err := l.run.Plan(t.Context(), "-out=plan"); err != nil {
		t.Fatal(err)
	}

	shown, err := l.run.Run(t.Context(), "show", "-json", "plan")
	if err != nil {
		t.Fatal(err)
	}

	var plan struct {
		Changes []struct {
			Type   string `json:"type"`
			Index  any    `json:"index"`
			Change struct {
				Actions []string `json:"actions"`
			} `json:"change"`
		} `json:"resource_changes"`
	}

	if err := json.Unmarshal([]byte(shown), &plan); err != nil {
		t.Fatal(err)
	}

	var planned []string

	for _, change := range plan.Changes {
		if actions := strings.Join(change.Change.Actions, " and "); change.Type == "hypervisor_vm" && actions != "no-op" {
			planned = append(planned, fmt.Sprintf("%s %s", actions, change.Index))
		}
	}

	slices.Sort(planned)

	if !slices.Equal(planned, want) {
		t.Errorf("The plan changes the machines %q, want %q", planned, want)
	}
}

// addWeb raises the number of web machines by one, and says how long after the apply began the new one served a visitor.
func (l *layout) addWeb(t *testing.T, clients *visitors) {
	l.variables["web_machines"] = 4
	l.wantPlan(t, "create web-4")

	began := time.Now()

	l.apply(t)
	clients.served(t, "web-1", "web-2", "web-3", "web-4")
	t.Logf("the new machine made its first page %.1f s after the apply began", clients.since("web-4").Sub(began).Seconds())
}

// removeWeb lowers the number again.
func (l *layout) removeWeb(t *testing.T, clients *visitors) {
	l.variables["web_machines"] = 3
	l.wantPlan(t, "delete web-4")

	began := time.Now()

	l.apply(t)
	t.Logf("the machine was gone %.1f s after the apply began", time.Since(began).Seconds())
	clients.served(t, "web-1", "web-2", "web-3")
}

// growGateways gives first the gateway that stands by and then the one that has the address a second core, while they run.
func (l *layout) growGateways(t *testing.T, clients *visitors) {
	sizes := map[string]any{}

	for _, active := range []bool{false, true} {
		name := l.gateway(t, active)
		before := l.cores(t, name)

		sizes[name] = map[string]any{"vcpus": 2, "memory": "2GiB"}
		l.variables["sizes"] = sizes
		l.wantPlan(t, "update "+name)
		l.apply(t)

		if after := l.cores(t, name); before != 1 || after != 2 {
			t.Errorf("%s had %d cores, and has %d", name, before, after)
		}

		clients.served(t, "web-1", "web-2", "web-3", "web-4")
	}
}

// gateway is the gateway that has the address, or the one that has not.
func (l *layout) gateway(t *testing.T, active bool) string {
	t.Helper()

	for _, name := range []string{"gateway-1", "gateway-2"} {
		addresses, err := l.inside(t.Context(), name, "ip", "-brief", "address", "show", "lan")
		if err != nil {
			t.Fatal(err)
		}

		if strings.Contains(addresses, " "+l.address+"/") == active {
			return name
		}
	}

	t.Fatalf("Of the gateways none has the address, or all have: %s", l.address)

	return ""
}

// cores is how many cores of its host's time the kernel lets a container have.
func (l *layout) cores(t *testing.T, name string) int {
	t.Helper()

	shown, err := exec.CommandContext(t.Context(), "virsh", "--connect", l.hosts[l.machines[name].Host].ContainerURI(), "schedinfo", name, "--live").Output()
	if err != nil {
		t.Fatalf("Unable to ask for the share of %s: %v", name, err)
	}

	times := map[string]int{}

	for line := range strings.Lines(string(shown)) {
		if key, value, found := strings.Cut(line, ":"); found {
			times[strings.TrimSpace(key)], _ = strconv.Atoi(strings.TrimSpace(value)) // what is no number is not asked for
		}
	}

	return times["vcpu_quota"] / max(times["vcpu_period"], 1)
}

func (l *layout) inside(ctx context.Context, name string, command ...string) (string, error) {
	return l.hosts[l.machines[name].Host].Inside(ctx, name, command...)
}

// order takes an order, which goes through every tier.
func (l *layout) order(ctx context.Context) error {
	_, err := load.Fetch(ctx, &http.Client{Timeout: requestLimit}, "http://"+l.address+"/order.php", "order ")

	return err
}

// redis asks a member of the Redis Cluster, and whom that one sends it to, which may be one that is lost: the client itself would wait
// for that one for a minute.
func (l *layout) redis(ctx context.Context, member string, command ...string) (string, error) {
	arguments := append([]string{"env", "REDISCLI_AUTH=the-redis-password", "timeout", "1", "redis-cli", "-c", "-e", "-h", l.machines[member].Address}, command...)
	answer, err := l.inside(ctx, member, arguments...)

	return strings.TrimSpace(answer), err
}

// redisWhole wants each member on the hosts to see all slots served and every master of the cluster followed by a replica.
func (l *layout) redisWhole(ctx context.Context, hosts ...string) error {
	replicas := 0

	for _, member := range l.members(hosts...) {
		state, err := l.redis(ctx, member, "CLUSTER", "INFO")
		if err != nil || !strings.Contains(state, "cluster_state:ok") || !strings.Contains(state, "cluster_slots_ok:16384") {
			return fmt.Errorf("%s says %.200q (%w)", member, state, err)
		}

		role, err := l.redis(ctx, member, "INFO", "replication")
		if err != nil {
			return err
		}

		if strings.Contains(role, "master_link_status:up") {
			replicas++
		}
	}

	if len(hosts) == len(l.hosts) && replicas != 3 {
		return fmt.Errorf("%d of six members are replicas in step", replicas)
	}

	return nil
}

// members are the members of the Redis Cluster on the hosts.
func (l *layout) members(hosts ...string) (names []string) {
	for name, machine := range l.machines {
		if strings.HasPrefix(name, "redis-") && slices.Contains(hosts, machine.Host) {
			names = append(names, name)
		}
	}

	slices.Sort(names)

	return names
}

// loseHostOfRedis kills a host that has a Redis master, and neither the writer of MySQL nor the address, so that what is measured is Redis alone.
func (l *layout) loseHostOfRedis(t *testing.T) {
	host := l.hostOfRedis(t)
	left := slices.DeleteFunc(slices.Sorted(maps.Keys(l.hosts)), func(name string) bool { return name == host })
	began := time.Now()

	if err := l.hosts[host].Kill(t.Context()); err != nil {
		t.Fatal(err)
	}

	asked := l.members(left...)[0]

	eventually(t, "writes to all slots", func(ctx context.Context) error { return l.writeKeys(ctx, asked) })

	away := time.Since(began).Seconds()
	t.Logf("loss of %s with %v: writes to all slots resumed after %.1f s (estimated: %.1f to %.1f)", host, l.members(host), away, l.estimate.Typical, l.estimate.Longest)

	if l.hurry && away > l.estimate.Longest+answerTime.Seconds() {
		t.Error("Redis was away for longer than the module says")
	}

	eventually(t, "all slots to be served", func(ctx context.Context) error { return l.redisWhole(ctx, left...) })
	eventually(t, "an order, which takes every tier", l.order)

	if err := l.hosts[host].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}

	back := time.Now()

	eventually(t, "the members of the host to follow the others", func(ctx context.Context) error { return l.redisWhole(ctx, append(left, host)...) })
	t.Logf("return of %s: every master had its replica after %.1f s", host, time.Since(back).Seconds())
}

// hostOfRedis is the host to lose: one with a master, or the plain first if each has one.
func (l *layout) hostOfRedis(t *testing.T) string {
	t.Helper()

	for _, host := range slices.Backward(slices.Sorted(maps.Keys(l.hosts))) {
		for _, member := range l.members(host) {
			role, err := l.redis(t.Context(), member, "ROLE")
			if err != nil {
				t.Fatal(err)
			}

			if strings.HasPrefix(role, "master") {
				return host
			}
		}
	}

	t.Fatal("No host has a master of Redis.")

	return ""
}

// writeKeys writes to keys of all masters.
func (l *layout) writeKeys(ctx context.Context, member string) error {
	for number := range 24 {
		if answer, err := l.redis(ctx, member, "SET", "key-"+strconv.Itoa(number), "here"); err != nil || answer != "OK" {
			return errors.Join(fmt.Errorf("key %d: %q", number, answer), err)
		}
	}

	return nil
}
