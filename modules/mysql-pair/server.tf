# What the server and its agent are told on each member, and the accounts that both begin with.

locals {
  gib    = { for name, machine in var.machines : name => tonumber(regex("^[0-9.]+", machine.memory)) * { MiB = 1 / 1024, GiB = 1, TiB = 1024 }[regex("[A-Za-z]+$", machine.memory)] }
  tls    = "/etc/mysql-pair/tls"
  folder = "/srv/mysql" # the data disk: what must outlive the system stands here, the agent's state beside the data

  server = {
    for name in local.members : name => join("\n", concat([
      "[mysqld]",
      "datadir = ${local.folder}/data",
      "bind_address = ${local.addresses[name]}",
      "skip_name_resolve = ON", # accounts are told apart by addresses, and no client waits for a look-up
      "innodb_buffer_pool_size = ${floor(local.gib[name] * 1024 * var.buffer_pool_percent / 100)}M",
    ], var.tls ? ["ssl_cert = ${local.tls}/server.pem", "ssl_key = ${local.tls}/server-key.pem"] : [], [for key in sort(keys(var.settings)) : "${key} = ${var.settings[key]}"], [""]))
  }

  # Each line is one variable to systemd, whatever blanks it has.
  environment = {
    for index, name in local.members : name => join("\n", [
      "PAIR=${var.name}",
      "MEMBER=${name}",
      "SERVER_ID=${index + 1}",
      "PREPARE=--folder=${local.folder}/pair",
      "RUN=${join(" ", local.run[name])}",
      "LEAVE=--drain=${1 + local.seconds.dns_ttl}s --timeout=15s",
      "CONSUL_HTTP_ADDR=127.0.0.1:8500",
      "CONSUL_HTTP_TOKEN_FILE=/etc/mysql-pair/consul.token",
      "",
    ])
  }

  run = {
    for name in local.members : name => concat(
      name == local.first ? ["--first"] : [],
      var.auto_failover ? [] : ["--manual"],
      var.tls ? ["--replication-ca=${local.tls}/ca.pem"] : [],
      [
        "--folder=${local.folder}/pair",
        "--other=${local.other[name]}",
        "--other-address=${local.addresses[local.other[name]]}:3306",
        "--address=${local.addresses[name]}:3306",
        "--replication-password-file=/etc/mysql-pair/replication.password",
        "--writer=${var.services.writer}",
        "--reader=${var.services.reader}",
        "--blind-after=${var.timers.blind_after}",
        "--lost-after=${var.timers.lost_after}",
        "--session-ttl=${var.timers.session_ttl}",
        "--lock-delay=${var.timers.lock_delay}",
      ],
    )
  }

  first = coalesce(var.first, local.members[0])

  # A member may have further addresses, so the account belongs to the members' network and not to an address.
  networks = distinct([for machine in values(var.machines) : "${cidrhost(machine.address, 0)}/${cidrnetmask(machine.address)}"])

  # Written before the first start, on both alike and into no log, so that neither has a write that the other has not.
  init = concat(
    ["FLUSH PRIVILEGES;"], # until here the server knows no accounts
    flatten([for network in local.networks : [
      "CREATE USER replication@'${network}' IDENTIFIED BY '${replace(replace(var.passwords.replication, "\\", "\\\\"), "'", "''")}'${var.tls ? " REQUIRE SSL" : ""};",
      "GRANT SELECT, RELOAD, PROCESS, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO replication@'${network}';",
    ]]),
    [for name in sort(var.databases) : "CREATE DATABASE `${name}` CHARACTER SET utf8mb4;"],
    flatten([for name in sort(keys(var.users)) : [
      "CREATE USER '${name}'@'${var.users[name].from}' IDENTIFIED BY '${replace(replace(var.passwords.users[name], "\\", "\\\\"), "'", "''")}';",
      "GRANT ${join(", ", var.users[name].privileges)} ON `${var.users[name].database}`.* TO '${name}'@'${var.users[name].from}';",
    ]]),
    [""],
  )

  # The server reads these, and nobody else.
  tls_files = {
    for name in local.members : name => var.tls ? {
      "${local.tls}/ca.pem"         = var.certificates.ca
      "${local.tls}/server.pem"     = var.certificates.servers[name].certificate
      "${local.tls}/server-key.pem" = var.certificates.servers[name].key
    } : {}
  }

  secret_files = {
    "/etc/mysql-pair/replication.password" = "${var.passwords.replication}\n"
    "/etc/mysql-pair/consul.token"         = "${var.consul_token}\n"
    "/etc/mysql-pair/init.sql"             = join("\n", local.init)
  }
}
