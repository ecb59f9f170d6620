// Package mariadb talks to one MariaDB server of a pair over its local socket: what it does now, and the few changes that
// move the right to write from one server to another.
package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// Server is a connection to a server. It ends with the server, so whatever is done over it is done to the server that was
// seen over it.
type Server struct {
	pool *sql.DB
	conn *sql.Conn
}

// Status is what a server does now.
type Status struct {
	Writable  bool
	Waits     bool   // commits wait for a replica
	Replicas  int    // replicas that acknowledge what they receive; a dead one counts until its connection ends
	Source    string // address:port of the server that it replicates from, empty if none or if it was told to stop
	Streaming bool   // connected with the source, and applying
	Diverged  bool   // replication cannot go on: the source does not have what this server has
	Written   uint64 // number of the last transaction in its log
	Received  uint64 // number of the last transaction that it received from the source
	PIDFile   string
}

// divergedCode is what a source answers to a replica that asks for what follows a transaction which it does not have:
// ER_MASTER_FATAL_ERROR_READING_BINLOG.
const divergedCode = "1236"

// Open connects to the server at a local socket, as a user whom the socket identifies.
func Open(ctx context.Context, socket, user string) (*Server, error) {
	config := mysql.NewConfig()
	config.Net, config.Addr, config.User, config.InterpolateParams = "unix", socket, user, true
	config.Logger = &mysql.NopLogger{} // errors are returned

	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the server at %s: %w", socket, err)
	}

	pool := sql.OpenDB(connector)

	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to the server at %s: %w", socket, err), pool.Close())
	}

	return &Server{pool: pool, conn: conn}, nil
}

// Close ends the connection.
func (s *Server) Close() error { return errors.Join(s.conn.Close(), s.pool.Close()) }

// Status reads what the server does.
func (s *Server) Status(ctx context.Context) (Status, error) {
	var (
		status           Status
		readOnly         bool
		written, clients string
	)

	row := s.conn.QueryRowContext(ctx, "SELECT @@read_only, @@rpl_semi_sync_master_enabled, @@gtid_binlog_pos, @@pid_file, "+
		"(SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'RPL_SEMI_SYNC_MASTER_CLIENTS')")
	if err := row.Scan(&readOnly, &status.Waits, &written, &status.PIDFile, &clients); err != nil {
		return Status{}, fmt.Errorf("read the server's status: %w", err)
	}

	status.Writable = !readOnly
	status.Written = sequence(written)
	status.Replicas, _ = strconv.Atoi(clients)

	replica, err := s.replica(ctx)
	if err != nil || replica == nil {
		return status, err
	}

	stopped := replica["Slave_IO_Running"] == "No" && replica["Last_IO_Errno"] == "0" || replica["Slave_SQL_Running"] == "No" && replica["Last_SQL_Errno"] == "0"
	if !stopped {
		status.Source = replica["Master_Host"] + ":" + replica["Master_Port"]
	}

	status.Streaming = replica["Slave_IO_Running"] == "Yes" && replica["Slave_SQL_Running"] == "Yes"
	status.Diverged = replica["Last_IO_Errno"] == divergedCode || replica["Slave_SQL_Running"] == "No" && replica["Last_SQL_Errno"] != "0"
	status.Received = sequence(replica["Gtid_IO_Pos"])

	return status, nil
}

// replica returns the fields of the replication, or nil if there is none.
func (s *Server) replica(ctx context.Context) (map[string]string, error) {
	rows, err := s.conn.QueryContext(ctx, "SHOW ALL SLAVES STATUS")
	if err != nil {
		return nil, fmt.Errorf("read the state of the replication: %w", err)
	}
	defer rows.Close()

	names, err := rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("read the state of the replication: %w", err)
	}

	if !rows.Next() {
		return nil, rows.Err()
	}

	values := make([]sql.NullString, len(names))
	targets := make([]any, len(names))

	for i := range values {
		targets[i] = &values[i]
	}

	if err := rows.Scan(targets...); err != nil {
		return nil, fmt.Errorf("read the state of the replication: %w", err)
	}

	fields := make(map[string]string, len(names))
	for i, name := range names {
		fields[name] = values[i].String
	}

	return fields, nil
}

// sequence is the last number of a position "domain-server-number"; a pair writes in one domain.
func sequence(position string) uint64 {
	_, number, _ := strings.Cut(position, "-")
	_, number, _ = strings.Cut(number, "-")

	value, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return 0 // nothing was written yet
	}

	return value
}

func (s *Server) exec(ctx context.Context, statement string, arguments ...any) error {
	if _, err := s.conn.ExecContext(ctx, statement, arguments...); err != nil {
		verb, _, _ := strings.Cut(statement, " TO ") // no statement has a secret before it

		return fmt.Errorf("run %q: %w", verb, err)
	}

	return nil
}
