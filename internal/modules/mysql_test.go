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
	"github.com/go-sql-driver/mysql"
)

const (
	replicationPassword = `a "secret" with \ and '`
	shopPassword        = `another 'one' with \`
)

// TestMySQLPairBeginsFromWhatItsMachinesAreTold runs the units of a member by hand: the set-up, the server with what comes
// before each start, and the agent. What a pair survives is tested in internal/pair.
func TestMySQLPairBeginsFromWhatItsMachinesAreTold(t *testing.T) {
	t.Parallel() // it mostly waits, as the other one does

	bed := testbed.For(t)

	consul, err := bed.StartConsul(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	binary := buildPair(t)
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
		folder := filepath.Join(bed.Folder(), name)
		told[name].writeTo(t, folder, strings.NewReplacer(
			"/etc/", filepath.Join(folder, "etc")+"/", "/srv/mysql", filepath.Join(folder, "srv/mysql")))

		member := newDatabase(t, name, address, folder)
		member.env = append(member.env, "CONSUL_HTTP_ADDR="+consul.Address())
		members[name] = member

		member.setUp(t)
		member.start(t, binary, func(program string, argv ...string) { startBeside(t, bed, name+"-"+program, argv...) })
	}

	return members
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
