package mariadb

import "fmt"

// Config is the part of a server's configuration that a pair depends on. It comes after the rest, so it wins.
//
// The server starts read-only, with commits that wait for nobody: only its agent lets it write. As a replica it is recovered
// so that the end of its log is cut off which no client was told of (init_rpl_role, MariaDB 10.6.19 and 10.11.9 and later).
// Commits wait without limit, since one that gave up would be acknowledged and not copied.
func Config(id uint32, primary bool) string {
	role := "SLAVE"
	if primary {
		role = "MASTER"
	}

	return fmt.Sprintf(`[mysqld]
server_id = %d
init_rpl_role = %s
read_only = ON
log_bin = binlog
relay_log = relay
log_slave_updates = ON
sync_binlog = 1
innodb_flush_log_at_trx_commit = 1
gtid_strict_mode = ON
gtid_domain_id = 0
rpl_semi_sync_slave_enabled = ON
rpl_semi_sync_master_enabled = OFF
rpl_semi_sync_master_wait_point = AFTER_SYNC
rpl_semi_sync_master_timeout = 18446744073709551615
rpl_semi_sync_master_wait_no_slave = ON
slave_net_timeout = 2
`, id, role)
}
