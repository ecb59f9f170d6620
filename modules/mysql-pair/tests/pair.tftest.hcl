# What the members are told. That a pair begins from it is tested with real servers in internal/modules.

mock_provider "hypervisor" {}

variables {
  machines = {
    mysql-1 = { placement = { host = "alpha", pins = ["4"] }, address = "10.0.0.61/24", memory = "16GiB" }
    mysql-2 = { placement = { host = "beta", pins = ["4"] }, address = "10.0.0.62/24", memory = "16GiB" }
  }
  image     = { volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2" } }
  network   = { bridge = "br0" }
  consul    = { files = { "/etc/consul.d/consul.json" = "{}" } }
  data_size = "200GiB"
  databases = ["shop"]
  users     = { shop = { database = "shop", from = "10.0.0.%" } }
  passwords = { replication = "not-in-the-plan", users = { shop = "not-in-the-plan-either" } }
}

run "what_a_member_is_told" {
  command = plan

  # The whole of it but for the script, so that whoever changes it sees what a member gets.
  assert {
    condition = { for file in yamldecode(local.user_data["mysql-2"]).write_files : file.path => file.content if !endswith(file.path, "/mysql-pair-setup") } == {
      "/etc/consul.d/consul.json" = "{}"

      "/etc/mysql-pair.env" = <<-EOT
        PAIR=shop
        MEMBER=mysql-2
        SERVER_ID=2
        PREPARE=--folder=/srv/mysql/pair
        RUN=--folder=/srv/mysql/pair --other=mysql-1 --other-address=10.0.0.61:3306 --address=10.0.0.62:3306 --replication-password-file=/etc/mysql-pair/replication.password --writer=mysql-writer --reader=mysql-reader --blind-after=10s --lost-after=3s --session-ttl=10s --lock-delay=1s
        LEAVE=--drain=2s --timeout=15s
        CONSUL_HTTP_ADDR=127.0.0.1:8500
        CONSUL_HTTP_TOKEN_FILE=/etc/mysql-pair/consul.token
      EOT

      "/etc/mysql/mariadb.conf.d/60-server.cnf" = <<-EOT
        [mysqld]
        datadir = /srv/mysql/data
        bind_address = 10.0.0.62
        skip_name_resolve = ON
        innodb_buffer_pool_size = 9830M
      EOT

      "/etc/systemd/system/mysql-pair-setup.service" = <<-EOT
        [Unit]
        Description=Data folder of the MySQL pair
        BindsTo=dev-disk-by\x2did-virtio\x2dmysql.device
        After=dev-disk-by\x2did-virtio\x2dmysql.device
        Before=mariadb.service mysql-pair.service

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=/usr/local/sbin/mysql-pair-setup /srv/mysql /dev/disk/by-id/virtio-mysql

        [Install]
        RequiredBy=mariadb.service mysql-pair.service
      EOT
    }
    error_message = "A member is told something else: ${local.user_data["mysql-2"]}"
  }

  assert {
    condition = yamldecode(local.user_data["mysql-1"]).runcmd == yamldecode(<<-EOT
      - [install, -D, -m, "644", /usr/local/share/mysql-pair/mariadb.conf, /etc/systemd/system/mariadb.service.d/pair.conf]
      - [systemctl, daemon-reload]
      - [systemctl, enable, --now, consul.service]
      - [systemctl, enable, --now, --no-block, mysql-pair-setup.service, mariadb.service, mysql-pair.service, mysql-pair-leave.service]
    EOT
    )
    error_message = "A member does not start what it is: ${local.user_data["mysql-1"]}"
  }

  assert {
    condition     = strcontains(local.environment["mysql-1"], "RUN=--first --folder") && !strcontains(local.environment["mysql-2"], "--first") && !strcontains(local.environment["mysql-1"], "--manual")
    error_message = "Not exactly the first member begins as primary: ${jsonencode(local.environment)}"
  }

  assert {
    condition     = alltrue([for text in values(local.user_data) : !strcontains(text, "not-in-the-plan")])
    error_message = "The plan has a password."
  }

  assert {
    condition     = local.machines["mysql-1"].data["mysql"] == "200GiB"
    error_message = "A member has no data disk of its own."
  }

  assert {
    condition     = output.services.writer == "mysql-writer.service.consul" && output.services.reader == "mysql-reader.service.consul"
    error_message = "The names that clients use are others."
  }
}

run "how_long_clients_wait" {
  command = plan

  variables {
    detection = { typical = 2, longest = 8 }
    timers    = { lock_delay = "500ms", lost_after = "2s" }
    dns_ttl   = "2s"
  }

  assert {
    condition     = output.rto_estimate.machine_lost.writes.typical == 2 + 0.5 + 1 + 2 && output.rto_estimate.machine_lost.writes.longest == 8 + 0.5 + 1 + 2
    error_message = "Without writes for another time than detection, lock, promotion and DNS take: ${jsonencode(output.rto_estimate)}"
  }

  assert {
    condition     = output.rto_estimate.machine_lost.reads.typical == 4 && output.rto_estimate.replica_lost.writes.typical == 2
    error_message = "Without reads for another time than detection and DNS take: ${jsonencode(output.rto_estimate)}"
  }
}

run "members_that_are_checked" {
  command = plan

  variables {
    tls          = true
    certificates = { ca = "-----BEGIN CERTIFICATE-----", servers = { for name in ["mysql-1", "mysql-2"] : name => { certificate = "of ${name}", key = "not-in-the-plan" } } }
  }

  assert {
    condition     = strcontains(local.environment["mysql-2"], "--replication-ca=/etc/mysql-pair/tls/ca.pem") && strcontains(local.server["mysql-1"], "ssl_key = /etc/mysql-pair/tls/server-key.pem")
    error_message = "A member does not check the other one: ${local.environment["mysql-2"]}"
  }
}

run "people_decide" {
  command = plan

  variables {
    auto_failover = false
    first         = "mysql-2"
  }

  assert {
    condition     = strcontains(local.environment["mysql-1"], " --manual") || strcontains(local.environment["mysql-1"], "RUN=--manual")
    error_message = "The agent replaces a lost primary by itself: ${local.environment["mysql-1"]}"
  }

  assert {
    condition     = strcontains(local.environment["mysql-2"], "RUN=--first --manual") && output.rto_estimate.machine_lost.writes == null
    error_message = "The first member is another one, or there is an estimate of what people take."
  }
}

run "containers_have_no_disk" {
  command = plan

  variables {
    image = { kind = "archive", volumes = { alpha = "alpha/default/debian-12.tar", beta = "beta/default/debian-12.tar" } }
  }

  assert {
    condition     = !strcontains(local.files["mysql-1"]["/etc/systemd/system/mysql-pair-setup.service"], "virtio")
    error_message = "A container waits for a disk."
  }
}
