package modules_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
	"github.com/go-sql-driver/mysql"
)

const (
	replicationPassword = `a "secret" with \ and '`
	shopPassword        = `another 'one' with \`
)

// database is a member of a pair that runs from what its machine was told.
type database struct {
	name, address, folder string
	env                   []string // of its units
}

// TestMySQLPairBeginsFromWhatItsMachinesAreTold runs the units of a member by hand: the set-up, the server with what comes
// before each start, and the agent. What a pair survives is tested in internal/pair.
func TestMySQLPairBeginsFromWhatItsMachinesAreTold(t *testing.T) {
	t.Parallel() // it mostly waits, as the other one does

	bed := testbed.For(t)

	consul, err := bed.StartConsul(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	binary := filepath.Join(t.TempDir(), "mysql-pair")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/mysql-pair").CombinedOutput(); err != nil {
		t.Fatalf("Unable to build mysql-pair: %v\n%s", err, output)
	}

	members := startPair(t, bed, consul, binary)
	status := func() string {
		command := exec.CommandContext(t.Context(), binary, "status", "--pair=shop")
		command.Env = append(os.Environ(), "CONSUL_HTTP_ADDR="+consul.Address())
		output, _ := command.CombinedOutput() // there is no record at first, which the output says

		return string(output)
	}

	eventually(t, func() error {
		if now := status(); !strings.Contains(now, "mysql-1\tprimary") || !strings.Contains(now, "mysql-2\treplica, in sync") {
			return fmt.Errorf("the pair is %q", now)
		}

		return nil
	})

	members["mysql-2"].wantCiphers(t)

	primary := members["mysql-1"].connect(t, "shop")

	for _, statement := range []string{"CREATE TABLE orders (id INT PRIMARY KEY)", "INSERT INTO orders VALUES (1)"} {
		if _, err := primary.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("The shop's account may not do what it is for: %v", err)
		}
	}

	var denied *mysql.MySQLError
	if _, err := primary.ExecContext(t.Context(), "CREATE TABLE other.orders (id INT)"); !errors.As(err, &denied) || denied.Number != 1142 {
		t.Errorf("The shop's account writes to another database: %v", err)
	}

	planned := exec.CommandContext(t.Context(), binary, "switch", "--pair=shop", "mysql-2")
	planned.Env = append(os.Environ(), "CONSUL_HTTP_ADDR="+consul.Address())

	if output, err := planned.CombinedOutput(); err != nil {
		t.Fatalf("Unable to switch the primary: %v\n%s", err, output)
	}

	replica := members["mysql-2"].connect(t, "shop")

	eventually(t, func() error {
		_, err := replica.ExecContext(t.Context(), "INSERT INTO orders VALUES (2)")

		return err
	})

	var orders int
	if err := replica.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM orders").Scan(&orders); err != nil || orders != 2 {
		t.Errorf("After the switch there are %d orders of 2: %v", orders, err)
	}

	members["mysql-1"].setUp(t) // as at the machine's next boot

	if _, err := os.Stat(filepath.Join(members["mysql-1"].folder, "srv/mysql/data/shop")); err != nil {
		t.Errorf("The set-up threw the data away: %v", err)
	}
}

// startPair renders the module and starts both members.
func startPair(t *testing.T, bed *testbed.Bed, consul *testbed.Consul, binary string) map[string]*database {
	t.Helper()

	subnet := net.ParseIP(bed.Address(1)).To4()[2]
	addresses := map[string]string{"mysql-1": fmt.Sprintf("127.79.%d.1", subnet), "mysql-2": fmt.Sprintf("127.79.%d.2", subnet)}
	members := map[string]*database{}

	authority, err := testbed.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	servers := map[string]any{}

	for name, address := range addresses {
		certificate, key, err := authority.Issue(name, address)
		if err != nil {
			t.Fatal(err)
		}

		servers[name] = map[string]string{"certificate": read(t, certificate), "key": read(t, key)}
	}

	told := render(t, read(t, "testdata/mysql.tf"), map[string]any{
		"certificates": map[string]any{"ca": read(t, authority.CAFile()), "servers": servers},
		"members":      addresses, "passwords": map[string]any{"replication": replicationPassword, "users": map[string]string{"shop": shopPassword}},
	})

	for name, address := range addresses {
		member := &database{name: name, address: address, folder: filepath.Join(bed.Folder(), name)}
		members[name] = member

		told[name].writeTo(t, member.folder, strings.NewReplacer(
			"/etc/", filepath.Join(member.folder, "etc")+"/", "/srv/mysql", filepath.Join(member.folder, "srv/mysql")))

		member.env = append(os.Environ(), "MYSQL_USER=root")
		for line := range strings.Lines(read(t, filepath.Join(member.folder, "etc/mysql-pair.env"))) {
			member.env = append(member.env, strings.TrimSuffix(line, "\n"))
		}

		member.env = append(member.env, "CONSUL_HTTP_ADDR="+consul.Address())
		member.setUp(t)
		member.start(t, bed, binary)
	}

	return members
}

// setUp does what the unit mysql-pair-setup does.
func (d *database) setUp(t *testing.T) {
	t.Helper()

	command := exec.CommandContext(t.Context(), "bash", filepath.Join(d.folder, "usr/local/sbin/mysql-pair-setup"), filepath.Join(d.folder, "srv/mysql"))
	command.Env = d.env

	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("Unable to set %s up: %v\n%s", d.name, err, output)
	}
}

// start runs the server and the agent with the command lines of their units, again whenever they end, as systemd does.
func (d *database) start(t *testing.T, bed *testbed.Bed, binary string) {
	t.Helper()

	path := func(name string) string { return filepath.Join(d.folder, name) }
	write(t, path("my.cnf"), fmt.Sprintf("[mysqld]\nuser = root\nsocket = %s\npid_file = %s\n!includedir %s\n",
		path("socket"), path("pid"), path("etc/mysql/mariadb.conf.d")))

	prepare := unitLine(t, "mariadb.conf", "ExecStartPre=+", binary) + " --config=" + path("etc/mysql/mariadb.conf.d/99-pair.cnf")
	run := unitLine(t, "mysql-pair.service", "ExecStart=", binary) + " --socket=" + path("socket")

	for name, line := range map[string]string{"server": prepare + " && mariadbd --defaults-file=" + path("my.cnf"), "agent": run} {
		script := path(name + ".sh")
		write(t, script, "while :; do "+line+"; sleep 0.1; done\n")

		// A unit has its variables from a file, of which each line is one.
		daemon, err := bed.StartBeside(d.name+"-"+name, append([]string{"/usr/bin/env"}, append(d.env, "bash", script)...)...)
		if err != nil {
			t.Fatal(err)
		}

		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("The end of what %s's %s printed:\n%s", d.name, name, daemon.LastWords())
			}
		})
	}
}

// unitLine is a command line of a unit that the image has, for this machine's program.
func unitLine(t *testing.T, unit, key, binary string) string {
	t.Helper()

	root, err := cli.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	for line := range strings.Lines(read(t, filepath.Join(root, "cmd/mysql-pair/systemd", unit))) {
		if command, found := strings.CutPrefix(strings.TrimSpace(line), key+"/usr/local/bin/mysql-pair"); found {
			return binary + command
		}
	}

	t.Fatalf("%s has no %s", unit, key)

	return ""
}

// wantCiphers wants the replication of a replica to be encrypted, and to check whom it is with.
func (d *database) wantCiphers(t *testing.T) {
	t.Helper()

	output, err := exec.CommandContext(t.Context(), "mariadb", "--socket="+filepath.Join(d.folder, "socket"), "--vertical", "--execute=SHOW SLAVE STATUS").CombinedOutput()
	for _, want := range []string{"Slave_IO_Running: Yes", "Master_SSL_Allowed: Yes", "Master_SSL_Verify_Server_Cert: Yes"} {
		if err != nil || !strings.Contains(string(output), want) {
			t.Errorf("The replication is not %q: %v\n%s", want, err, output)
		}
	}
}

// connect is the shop's own connection to the member.
func (d *database) connect(t *testing.T, name string) *sql.DB {
	t.Helper()

	config := mysql.NewConfig()
	config.Net, config.Addr, config.User, config.Passwd, config.DBName = "tcp", d.address+":3306", "shop", shopPassword, name

	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}

	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })

	return db
}
