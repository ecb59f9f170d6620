package mariadb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

// Source is a server that another replicates from, and the account for it.
type Source struct {
	Address        string // address:port
	User, Password string
	CA             string // file of the authority that its certificate is held against; empty: no TLS
}

// SetWaits lets commits wait for a replica, or no longer: those that wait go on.
func (s *Server) SetWaits(ctx context.Context, on bool) error {
	return s.exec(ctx, "SET GLOBAL rpl_semi_sync_master_enabled = "+onOff(on))
}

// AllowWrites lets clients write.
func (s *Server) AllowWrites(ctx context.Context) error {
	return s.exec(ctx, "SET GLOBAL read_only = OFF")
}

// EndWrites refuses writes and ends the connections of the clients, so that they look for the new primary. It does not
// return while a commit waits for a replica: give it a deadline.
func (s *Server) EndWrites(ctx context.Context) error {
	if err := s.exec(ctx, "SET GLOBAL read_only = ON"); err != nil {
		return err
	}

	rows, err := s.conn.QueryContext(ctx, "SELECT id FROM information_schema.processlist "+
		"WHERE id <> CONNECTION_ID() AND user <> 'system user' AND command NOT IN ('Binlog Dump', 'Daemon')")
	if err != nil {
		return fmt.Errorf("list the clients: %w", err)
	}

	var clients []int64

	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return errors.Join(fmt.Errorf("list the clients: %w", err), rows.Close())
		}

		clients = append(clients, id)
	}

	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("list the clients: %w", err)
	}

	for _, id := range clients {
		// One that is gone already is as good as ended.
		if _, err := s.conn.ExecContext(ctx, "KILL "+strconv.FormatInt(id, 10)); err != nil && ctx.Err() != nil {
			return fmt.Errorf("end the clients' connections: %w", err)
		}
	}

	return nil
}

// Detach ends the replication, once all that was received is applied.
func (s *Server) Detach(ctx context.Context) error {
	if err := s.exec(ctx, "STOP SLAVE IO_THREAD"); err != nil {
		return err
	}

	err := poll.Until(ctx, "what was received to be applied", func(int) error {
		fields, err := s.replica(ctx)

		switch {
		case err != nil || fields == nil:
			return err
		case fields["Slave_SQL_Running"] != "Yes":
			return fmt.Errorf("what was received cannot be applied: %s", fields["Last_SQL_Error"])
		case fields["Relay_Master_Log_File"] != fields["Master_Log_File"] || fields["Exec_Master_Log_Pos"] != fields["Read_Master_Log_Pos"]:
			return fmt.Errorf("%w: %s of %s", poll.ErrNotYet, fields["Exec_Master_Log_Pos"], fields["Read_Master_Log_Pos"])
		default:
			return nil
		}
	})
	if err != nil {
		return err
	}

	if err := s.exec(ctx, "STOP SLAVE"); err != nil {
		return err
	}

	return s.exec(ctx, "RESET SLAVE ALL")
}

// Follow replicates from a source. What the server wrote as a primary counts as received.
func (s *Server) Follow(ctx context.Context, source Source) error {
	host, port, err := net.SplitHostPort(source.Address)
	if err != nil {
		return fmt.Errorf("follow %s: %w", source.Address, err)
	}

	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("follow %s: %w", source.Address, err)
	}

	if err := s.exec(ctx, "STOP SLAVE"); err != nil {
		return err
	}

	// A heartbeat twice a second lets both ends see a cut connection within slave_net_timeout.
	statement := "CHANGE MASTER TO MASTER_HOST = ?, MASTER_PORT = ?, MASTER_USER = ?, MASTER_PASSWORD = ?, MASTER_CONNECT_RETRY = 1, " +
		"MASTER_HEARTBEAT_PERIOD = 0.5, MASTER_USE_GTID = slave_pos, MASTER_DEMOTE_TO_SLAVE = 1"
	arguments := []any{host, number, source.User, source.Password}

	if source.CA != "" {
		statement += ", MASTER_SSL = 1, MASTER_SSL_VERIFY_SERVER_CERT = 1, MASTER_SSL_CA = ?"
		arguments = append(arguments, source.CA)
	}

	if err := s.exec(ctx, statement, arguments...); err != nil {
		return err
	}

	return s.exec(ctx, "START SLAVE")
}

func onOff(on bool) string {
	if on {
		return "ON"
	}

	return "OFF"
}
