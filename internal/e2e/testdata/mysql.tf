# A pair of MySQL servers as the guide sets it up, on machines that the tiers' own module makes.

locals {
  mysql = {
    mysql-1 = { host = "alpha", number = 1, other = "mysql-2", address = "${var.subnet}.121" }
    mysql-2 = { host = "beta", number = 2, other = "mysql-1", address = "${var.subnet}.122" }
  }
}

module "mysql" {
  source = "./modules/machines"

  image           = local.image
  network         = local.network
  secrets_version = 1

  machines = {
    for name, member in local.mysql : name => { placement = { host = member.host, pins = ["0"] }, address = "${member.address}/24", memory = "1GiB" }
  }

  user_data = {
    for name, member in local.mysql : name => "#cloud-config\n${yamlencode({
      write_files = concat(
        [for path, content in module.platform.agent.files : { path = path, content = content }],
        [
          { path = "/etc/mysql/mariadb.conf.d/60-shop.cnf", content = "[mysqld]\nbind-address = 0.0.0.0\nskip-name-resolve = ON\n" },
          { path = "/etc/mysql-pair.env", content = <<-EOT
            PAIR=shop
            MEMBER=${name}
            SERVER_ID=${member.number}
            RUN="${name == "mysql-1" ? "--first " : ""}--other=${member.other} --other-address=${local.mysql[member.other].address}:3306 --address=${member.address}:3306 --replication-password-file=/etc/mysql-pair.password"
            CONSUL_HTTP_TOKEN_FILE=/etc/mysql-pair.token
          EOT
          },
        ],
      )
      runcmd = concat(
        [["systemctl", "enable", "--now", "consul"]],
        name != "mysql-1" ? [] : [
          ["systemctl", "start", "mariadb"],
          ["sh", "-c", "mysql < /etc/mysql-first.sql && rm /etc/mysql-first.sql"],
          ["systemctl", "stop", "mariadb"],
        ],
        [
          ["install", "-D", "-m", "644", "/usr/local/share/mysql-pair/mariadb.conf", "/etc/systemd/system/mariadb.service.d/pair.conf"],
          ["systemctl", "daemon-reload"],
          ["systemctl", "enable", "--now", "--no-block", "mariadb", "mysql-pair"],
        ],
      )
    })}"
  }

  secrets = {
    for name in keys(local.mysql) : name => "#cloud-config\n${yamlencode({
      write_files = concat(
        [for path, content in module.agent_secrets.files : { path = path, content = content, owner = "root:consul", permissions = "0640" }],
        [
          { path = "/etc/mysql-pair.password", permissions = "0600", content = var.passwords.replication },
          { path = "/etc/mysql-pair.token", permissions = "0600", content = var.secrets.consul.tokens["mysql-pair"] },
        ],
        name != "mysql-1" ? [] : [{ path = "/etc/mysql-first.sql", permissions = "0600", content = <<-EOT
          CREATE USER replication@'%' IDENTIFIED BY '${var.passwords.replication}';
          GRANT SELECT, RELOAD, PROCESS, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO replication@'%';
          CREATE DATABASE shop;
          CREATE TABLE shop.orders (id INT PRIMARY KEY);
          CREATE USER shop@'%' IDENTIFIED BY '${var.passwords.shop}';
          GRANT ALL ON shop.* TO shop@'%';
        EOT
        }],
      )
    })}"
  }
}

variable "passwords" {
  type      = map(string)
  ephemeral = true
}

module "agent_secrets" {
  source  = "./modules/consul-cluster/agent-secrets"
  secrets = var.secrets.consul
}
