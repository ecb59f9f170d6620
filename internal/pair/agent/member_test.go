package agent_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

const password = `a "secret" with \ and '`

// node is a machine of a pair: a server that is started again whenever it ends, as an init system does it, and its agent.
type node struct {
	t                    *testing.T
	name, folder, binary string
	port, other          int
	first                bool

	server, agent *supervised
	root          *sql.DB // over the socket
}

// supervised is a program that is started again whenever it ends, until it is stopped.
type supervised struct {
	mu      sync.Mutex
	process *os.Process
	end     context.CancelFunc
	done    chan struct{}
}

// supervise starts a program, with the commands before it each time.
func supervise(t *testing.T, log string, commands ...[]string) *supervised {
	t.Helper()

	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s := &supervised{end: cancel, done: make(chan struct{})}

	output, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}

	go func() {
		defer close(s.done)
		defer output.Close()

		runtime.LockOSThread() // the thread that starts a process must outlive it: its end is the process's
		defer runtime.UnlockOSThread()

		for ctx.Err() == nil {
			for _, line := range commands {
				command := exec.Command(line[0], line[1:]...)
				command.Stdout, command.Stderr = output, output
				command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

				if err := s.start(ctx, command); err != nil {
					return
				}

				if command.Wait() != nil {
					break
				}
			}
		}
	}()

	t.Cleanup(s.kill)

	return s
}

// start starts a command unless the program was stopped.
func (s *supervised) start(ctx context.Context, command *exec.Cmd) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	if ctx.Err() != nil {
		return ctx.Err()
	}

	if err := command.Start(); err != nil {
		return err
	}

	s.process = command.Process

	return nil
}

// signal sends a signal to the program as it runs now.
func (s *supervised) signal(signal os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()

	_ = s.process.Signal(signal) // it may have ended
}

// kill ends the program for good.
func (s *supervised) kill() {
	s.end()
	s.signal(syscall.SIGKILL)
	<-s.done
}

// newNode installs a server.
func newNode(t *testing.T, binary, name string, port, other int) *node {
	t.Helper()

	n := &node{t: t, name: name, folder: t.TempDir(), binary: binary, port: port, other: other, first: name == "alpha"}

	if err := os.WriteFile(filepath.Join(n.folder, "password"), []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	config := fmt.Sprintf(`[mysqld]
datadir = %[1]s/data
socket = %[1]s/socket
pid_file = %[1]s/pid
port = %[2]d
bind_address = 127.0.0.1
skip_name_resolve = ON
innodb_buffer_pool_size = 16M
innodb_log_file_size = 8M
!include %[1]s/pair.cnf
`, n.folder, port)
	if err := os.WriteFile(n.path("my.cnf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(n.path("pair.cnf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}

	install := exec.CommandContext(t.Context(), "mariadb-install-db", "--defaults-file="+n.path("my.cnf"), "--user="+me.Username,
		"--auth-root-authentication-method=socket", "--auth-root-socket-user="+me.Username, "--skip-test-db")
	if output, err := install.CombinedOutput(); err != nil {
		t.Fatalf("Unable to install a server (the Debian package mariadb-server has what it takes): %v\n%s", err, output)
	}

	n.root = open(t, "unix", n.path("socket"), me.Username, "")

	return n
}

func (n *node) path(name string) string { return filepath.Join(n.folder, name) }

// startServer runs the server, prepared before each start.
func (n *node) startServer() {
	me, err := user.Current()
	if err != nil {
		n.t.Fatal(err)
	}

	n.server = supervise(n.t, n.path("server.log"),
		[]string{n.binary, "prepare", "--pair=shop", "--member=" + n.name, "--folder=" + n.folder, "--config=" + n.path("pair.cnf"), "--server-id=" + strconv.Itoa(n.port)},
		[]string{"mariadbd", "--defaults-file=" + n.path("my.cnf"), "--user=" + me.Username})
	n.eventually("the server to answer", func() error { return n.root.PingContext(n.t.Context()) })
}

func (n *node) startAgent() {
	other := "alpha"
	if n.first {
		other = "beta"
	}

	me, err := user.Current()
	if err != nil {
		n.t.Fatal(err)
	}

	n.agent = supervise(n.t, n.path("agent.log"), []string{
		n.binary, "run", "--pair=shop", "--member=" + n.name, "--other=" + other, "--first=" + strconv.FormatBool(n.first),
		"--folder=" + n.folder, "--socket=" + n.path("socket"), "--user=" + me.Username, "--address=" + n.address(),
		fmt.Sprintf("--other-address=127.0.0.1:%d", n.other), "--replication-password-file=" + n.path("password"),
	})
}

func (n *node) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)) }

// lineage is that of the server's data, or empty.
func (n *node) lineage() string {
	var state struct {
		Lineage string `json:"lineage"`
	}

	text, err := os.ReadFile(n.path("state.json"))
	if err != nil || json.Unmarshal(text, &state) != nil {
		return ""
	}

	return state.Lineage
}

// exec runs statements as the server's administrator.
func (n *node) exec(statements ...string) {
	n.t.Helper()

	for _, statement := range statements {
		if _, err := n.root.ExecContext(n.t.Context(), statement); err != nil {
			n.t.Fatalf("%s on %s: %v", statement, n.name, err)
		}
	}
}

// orders are the rows that the server has.
func (n *node) orders() (map[int]bool, error) {
	rows, err := n.root.QueryContext(n.t.Context(), "SELECT id FROM shop.orders")
	if err != nil {
		return nil, err
	}
	defer rows.Close()

	found := map[int]bool{}

	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}

		found[id] = true
	}

	return found, rows.Err()
}

// eventually polls for as long as a busy machine may take.
func (n *node) eventually(what string, probe func() error) {
	n.t.Helper()

	eventually(n.t, n.name+": "+what, probe, n)
}

func eventually(t *testing.T, what string, probe func() error, nodes ...*node) {
	t.Helper()

	deadline := time.Now().Add(2 * time.Minute)
	ticker := time.NewTicker(100 * time.Millisecond)

	defer ticker.Stop()

	for {
		err := probe()
		if err == nil {
			return
		}

		if time.Now().After(deadline) {
			for _, n := range nodes {
				for _, log := range []string{"server.log", "agent.log"} {
					text, _ := os.ReadFile(n.path(log)) // there may be none yet
					t.Logf("%s of %s:\n%s", log, n.name, bytes.Join(lastLines(text, 40), []byte("\n")))
				}
			}

			t.Fatalf("Gave up waiting for %s: %v", what, err)
		}

		<-ticker.C
	}
}

func lastLines(text []byte, count int) [][]byte {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))

	return lines[max(0, len(lines)-count):]
}

func open(t *testing.T, network, address, account, secret string) *sql.DB {
	t.Helper()

	config := mysql.NewConfig()
	config.Net, config.Addr, config.User, config.Passwd, config.Timeout = network, address, account, secret, time.Second
	config.ReadTimeout, config.WriteTimeout = 10*time.Second, 10*time.Second
	config.Logger = &mysql.NopLogger{}

	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}

	pool := sql.OpenDB(connector)
	t.Cleanup(func() { _ = pool.Close() }) // the server is gone by then

	return pool
}
