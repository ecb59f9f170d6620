package agent_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/pair/agent"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/hashicorp/consul/api"
)

// cluster is a pair with its Consul and a client that never stops to write.
type cluster struct {
	alpha, beta *node
	consul      *api.Client
	binary      string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()

	server, err := testbed.For(t).StartConsul(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	t.Setenv("CONSUL_HTTP_ADDR", server.Address())

	client, err := api.NewClient(api.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}

	binary := filepath.Join(t.TempDir(), "mysql-pair")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../../cmd/mysql-pair")

	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("Unable to build the agent: %v\n%s", err, output)
	}

	ports := [2]int{freePort(t), freePort(t)}
	c := &cluster{consul: client, binary: binary}
	c.alpha = newNode(t, binary, "alpha", ports[0], ports[1])
	c.beta = newNode(t, binary, "beta", ports[1], ports[0])

	c.alpha.startServer()
	c.beta.startServer()

	// A server's administrator may write although the server refuses writes.
	c.alpha.exec("CREATE USER replication@'127.0.0.1' IDENTIFIED BY 'a \"secret\" with \\\\ and '''",
		"GRANT SELECT, RELOAD, PROCESS, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO replication@'127.0.0.1'",
		"CREATE USER shop@'127.0.0.1' IDENTIFIED BY 'shop'", "CREATE DATABASE shop", "GRANT ALL ON shop.* TO shop@'127.0.0.1'",
		"CREATE TABLE shop.orders (id INT PRIMARY KEY)")

	c.alpha.startAgent()
	c.beta.startAgent()

	return c
}

func freePort(t *testing.T) int {
	t.Helper()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()

	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}

	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}

	return number
}

// settles waits until the pair has a primary and a replica in sync, and returns them.
func (c *cluster) settles(t *testing.T) (primary, replica *node) {
	t.Helper()

	eventually(t, "the pair to be in sync", func() error {
		record, err := agent.Record(t.Context(), "shop", c.consul)
		if err != nil {
			return err
		}

		primary, replica = c.alpha, c.beta
		if record.Primary == c.beta.name {
			primary, replica = c.beta, c.alpha
		}

		for _, n := range []*node{c.alpha, c.beta} {
			if lineage := n.lineage(); lineage == "" || record.InSync[n.name] != lineage {
				return fmt.Errorf("the record is %+v, and %s is %q", record, n.name, lineage)
			}
		}

		if writer := c.writer(t.Context()); writer != primary.address() {
			return fmt.Errorf("mysql-writer is at %q, not at %s", writer, primary.address())
		}

		return nil
	}, c.alpha, c.beta)

	return primary, replica
}

// is checks who the primary is.
func is(t *testing.T, primary, want *node) {
	t.Helper()

	if primary != want {
		t.Errorf("the primary is %s, not %s", primary.name, want.name)
	}
}

// writer is where Consul says that writes go, or empty.
func (c *cluster) writer(ctx context.Context) string {
	entries, _, err := c.consul.Health().Service("mysql-writer", "", true, (&api.QueryOptions{}).WithContext(ctx))
	if err != nil || len(entries) != 1 {
		return ""
	}

	return net.JoinHostPort(entries[0].Service.Address, strconv.Itoa(entries[0].Service.Port))
}

// client writes one order after the other to whatever Consul names, until it is stopped.
type client struct {
	mu     sync.Mutex
	acked  []int
	last   time.Time
	gap    time.Duration // longest time between two acknowledged writes
	cancel context.CancelFunc
	done   chan struct{}
}

func (c *cluster) startClient(t *testing.T) *client {
	t.Helper()

	ctx, cancel := context.WithCancel(t.Context())
	w := &client{last: time.Now(), cancel: cancel, done: make(chan struct{})}
	pools := map[string]*sql.DB{}

	for _, n := range []*node{c.alpha, c.beta} {
		pools[n.address()] = open(t, "tcp", n.address(), "shop", "shop")
	}

	go func() {
		defer close(w.done)

		for id := 1; ctx.Err() == nil; id++ {
			if pool := pools[c.writer(ctx)]; pool != nil {
				w.write(ctx, pool, id)
			}
		}
	}()

	t.Cleanup(w.stop)

	return w
}

func (w *client) write(ctx context.Context, pool *sql.DB, id int) {
	if _, err := pool.ExecContext(ctx, fmt.Sprintf("INSERT INTO shop.orders VALUES (%d)", id)); err != nil {
		return
	}

	w.mu.Lock()
	defer w.mu.Unlock()

	w.acked = append(w.acked, id)
	w.gap = max(w.gap, time.Since(w.last))
	w.last = time.Now()
}

// goesOn waits until more writes are acknowledged, and returns the longest gap since it was last asked.
func (w *client) goesOn(t *testing.T, c *cluster) time.Duration {
	t.Helper()

	w.mu.Lock()
	before := len(w.acked)
	w.mu.Unlock()

	eventually(t, "writes to go on", func() error {
		w.mu.Lock()
		defer w.mu.Unlock()

		if len(w.acked) < before+20 {
			return errors.New("they do not")
		}

		return nil
	}, c.alpha, c.beta)

	w.mu.Lock()
	defer w.mu.Unlock()

	gap := w.gap
	w.gap = 0

	return gap.Round(time.Millisecond)
}

func (w *client) stop() {
	w.cancel()
	<-w.done
}

// holds checks that both servers have every acknowledged write, and the same rows.
func (c *cluster) holds(t *testing.T, w *client) {
	t.Helper()
	w.stop()

	eventually(t, "both servers to have the same rows", func() error {
		first, err := c.alpha.orders()
		if err != nil {
			return err
		}

		second, err := c.beta.orders()
		if err != nil {
			return err
		}

		for id := range first {
			if !second[id] {
				return fmt.Errorf("beta does not have %d", id)
			}
		}

		if len(first) != len(second) {
			return fmt.Errorf("alpha has %d rows and beta %d", len(first), len(second))
		}

		return nil
	}, c.alpha, c.beta)

	rows, err := c.alpha.orders()
	if err != nil {
		t.Fatal(err)
	}

	lost := 0

	for _, id := range w.acked {
		if !rows[id] {
			lost++
		}
	}

	if lost > 0 {
		t.Errorf("%d of %d acknowledged writes are lost", lost, len(w.acked))
	}

	t.Logf("%d acknowledged writes, none lost", len(w.acked)-lost)
}

func TestPairServesWhateverIsLostAndLosesNoAcknowledgedWrite(t *testing.T) {
	c := newCluster(t)
	primary, replica := c.settles(t)
	is(t, primary, c.alpha)

	w := c.startClient(t)
	w.goesOn(t, c)

	replica.server.signal(syscall.SIGKILL)
	t.Logf("the replica's server dies: writes pause for %s", w.goesOn(t, c))
	primary, _ = c.settles(t)
	is(t, primary, c.alpha)

	primary.server.signal(syscall.SIGKILL)
	t.Logf("the primary's server dies and comes back: writes pause for %s", w.goesOn(t, c))
	primary, replica = c.settles(t)

	primary.server.kill()
	t.Logf("the primary's server dies for good: writes pause for %s", w.goesOn(t, c))
	primary.startServer()

	now, _ := c.settles(t)
	is(t, now, replica)

	c.tell(t, "switch", "--timeout=2m", primary.name)
	t.Logf("an operator switches: writes pause for %s", w.goesOn(t, c))
	now, replica = c.settles(t)
	is(t, now, primary)

	replica.leaves(t, c)
	t.Logf("the replica leaves: writes pause for %s", w.goesOn(t, c))
	now, replica = c.settles(t)
	is(t, now, primary)

	primary.leaves(t, c)
	t.Logf("the primary leaves: writes pause for %s", w.goesOn(t, c))

	primary, now = replica, primary
	after, _ := c.settles(t)
	is(t, after, primary)

	replica = now

	primary.agent.kill()
	primary.server.kill()
	t.Logf("the primary's machine dies, with no word of it but its silence: writes pause for %s", w.goesOn(t, c))

	primary.startServer()
	primary.startAgent()
	now, _ = c.settles(t)
	is(t, now, replica)

	c.holds(t, w)
}

// tell runs a command of the agent's program.
func (c *cluster) tell(t *testing.T, command string, arguments ...string) {
	t.Helper()

	output, err := exec.CommandContext(t.Context(), c.binary, append([]string{command, "--pair=shop"}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("Unable to %s: %v\n%s", command, err, output)
	}
}

// leaves lets a member's machine stop as it is planned, and start again.
func (n *node) leaves(t *testing.T, c *cluster) {
	t.Helper()

	c.tell(t, "leave", "--member="+n.name, "--folder="+n.folder, "--timeout=2m", "--drain=1s")

	if record, err := agent.Record(t.Context(), "shop", c.consul); err != nil || record.Primary == n.name || record.InSync[n.name] != "" {
		t.Errorf("%s has left, and the record is %+v, %v", n.name, record, err)
	}

	n.server.kill()
	n.startServer()
	c.tell(t, "return", "--member="+n.name, "--folder="+n.folder)
}

func TestMemberThatWentItsOwnWayIsMadeAnew(t *testing.T) {
	c := newCluster(t)
	_, replica := c.settles(t)

	w := c.startClient(t)
	w.goesOn(t, c)

	replica.agent.kill()
	replica.exec("STOP SLAVE", "INSERT INTO shop.orders VALUES (-1)", "CREATE DATABASE astray")
	w.goesOn(t, c)
	replica.startAgent()

	replica.eventually("to be a copy", func() error {
		if rows, err := replica.orders(); err != nil || rows[-1] {
			return errors.Join(errors.New("it still has its own row"), err)
		}

		return nil
	})

	now, _ := c.settles(t)
	is(t, now, c.alpha)
	c.holds(t, w)
}
