package mariadb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// systemDatabases are those that no client made.
var systemDatabases = []string{"information_schema", "mysql", "performance_schema", "sys"}

// ownTables of the database mysql are a server's own. Events and routines travel as statements.
var ownTables = []string{"event", "general_log", "gtid_slave_pos", "innodb_index_stats", "innodb_table_stats", "proc", "slow_log", "transaction_registry"}

// Copy throws away everything that the server at the socket has, and makes it what the source is now, so that it can follow
// it. It uses mariadb-dump, so it takes as long as the data takes to be read and written as SQL; folder holds the account's
// password meanwhile.
func (s *Server) Copy(ctx context.Context, socket, folder string, source Source) error {
	if err := s.empty(ctx); err != nil {
		return err
	}

	account, err := writeAccount(folder, source)
	if err != nil {
		return err
	}
	defer os.Remove(account)

	databases, err := list(ctx, account)
	if err != nil {
		return err
	}

	// The dump begins with the source's position, which the copy follows it from. Accounts are in the database mysql.
	arguments := []string{
		"--defaults-extra-file=" + account, "--single-transaction", "--gtid", "--master-data=1", "--routines", "--events",
		"--triggers", "--hex-blob", "--flush-privileges",
	}
	for _, table := range ownTables {
		arguments = append(arguments, "--ignore-table=mysql."+table)
	}

	arguments = append(append(arguments, "--databases", "mysql"), databases...)

	return pipe(exec.CommandContext(ctx, "mariadb-dump", arguments...),
		exec.CommandContext(ctx, "mariadb", "--socket="+socket, "--init-command=SET SESSION sql_log_bin = 0"))
}

// empty ends replication and removes all databases and the log.
func (s *Server) empty(ctx context.Context) error {
	for _, statement := range []string{"STOP SLAVE", "RESET SLAVE ALL", "SET SESSION sql_log_bin = 0"} {
		if err := s.exec(ctx, statement); err != nil {
			return err
		}
	}

	rows, err := s.conn.QueryContext(ctx, "SELECT schema_name FROM information_schema.schemata")
	if err != nil {
		return fmt.Errorf("list the databases: %w", err)
	}

	var names []string

	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return errors.Join(fmt.Errorf("list the databases: %w", err), rows.Close())
		}

		names = append(names, name)
	}

	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("list the databases: %w", err)
	}

	for _, name := range names {
		if slices.Contains(systemDatabases, name) {
			continue
		}

		if err := s.exec(ctx, "DROP DATABASE `"+strings.ReplaceAll(name, "`", "``")+"`"); err != nil {
			return err
		}
	}

	return s.exec(ctx, "RESET MASTER")
}

// writeAccount keeps the password out of the process list.
func writeAccount(folder string, source Source) (string, error) {
	host, port, err := net.SplitHostPort(source.Address)
	if err != nil {
		return "", fmt.Errorf("copy %s: %w", source.Address, err)
	}

	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	text := "[client]\nhost=" + host + "\nport=" + port + "\nuser=" + source.User + "\npassword=\"" + quote.Replace(source.Password) + "\"\n"

	if source.CA != "" {
		text += fmt.Sprintf("ssl-ca=%s\nssl-verify-server-cert\n", source.CA)
	}

	path := filepath.Join(folder, "source.cnf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("store the replication's account: %w", err)
	}

	return path, nil
}

func list(ctx context.Context, account string) ([]string, error) {
	var failure bytes.Buffer

	command := exec.CommandContext(ctx, "mariadb", "--defaults-extra-file="+account, "--batch", "--skip-column-names", "--execute=SHOW DATABASES")
	command.Stderr = &failure

	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("list the source's databases: %w: %s", err, strings.TrimSpace(failure.String()))
	}

	names := strings.Split(strings.TrimSpace(string(output)), "\n")

	return slices.DeleteFunc(names, func(name string) bool { return name == "" || slices.Contains(systemDatabases, name) }), nil
}

// pipe runs both commands, the first's output being the second's input.
func pipe(from, to *exec.Cmd) error {
	var failures [2]bytes.Buffer
	from.Stderr, to.Stderr = &failures[0], &failures[1]

	output, err := from.StdoutPipe()
	if err != nil {
		return fmt.Errorf("copy the source: %w", err)
	}

	to.Stdin = output

	if err := from.Start(); err != nil {
		return fmt.Errorf("copy the source: %w", err)
	}

	second := to.Run()
	first := from.Wait()

	if err := errors.Join(first, second); err != nil {
		return fmt.Errorf("copy the source: %w: %s %s", err, strings.TrimSpace(failures[0].String()), strings.TrimSpace(failures[1].String()))
	}

	return nil
}
