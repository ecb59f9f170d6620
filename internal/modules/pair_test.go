package modules_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed/cli"
)

// database is a member of a pair that runs from what its machine was told.
type database struct {
	name, address, folder string
	env                   []string // of its units
}

// buildPair builds the program that runs beside the servers.
func buildPair(t *testing.T) string {
	t.Helper()

	binary := filepath.Join(t.TempDir(), "mysql-pair")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/mysql-pair").CombinedOutput(); err != nil {
		t.Fatalf("Unable to build mysql-pair: %v\n%s", err, output)
	}

	return binary
}

// newDatabase reads what the member's machine was told, in the folder.
func newDatabase(t *testing.T, name, address, folder string) *database {
	t.Helper()

	d := &database{name: name, address: address, folder: folder, env: append(os.Environ(), "MYSQL_USER=root")}
	for line := range strings.Lines(read(t, filepath.Join(folder, "etc/mysql-pair.env"))) {
		d.env = append(d.env, strings.TrimSuffix(line, "\n"))
	}

	return d
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

// start runs the server and the agent with the command lines of their units, again whenever they end, as systemd does. What starts
// a program takes its name first.
func (d *database) start(t *testing.T, binary string, begin func(program string, argv ...string)) {
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
		begin(name, append([]string{"/usr/bin/env"}, append(d.env, "bash", script)...)...)
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
