# What the servers and the other machines' agents are told. That Consul takes it, and does with it what is promised, is tested with
# real agents in internal/modules.

mock_provider "hypervisor" {}

variables {
  machines = {
    consul-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.21/24", memory = "2GiB" }
    consul-2 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.22/24", memory = "2GiB" }
    consul-3 = { placement = { host = "gamma", pins = ["2"] }, address = "10.0.0.23/24", memory = "2GiB" }
  }
  image   = { volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2", gamma = "gamma/default/debian-12.qcow2" } }
  network = { bridge = "br0" }
  secrets = {
    gossip_key         = "bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGUuLi4="
    ca_certificate     = "-----BEGIN CERTIFICATE-----\nan example\n-----END CERTIFICATE-----\n"
    server_certificate = "-----BEGIN CERTIFICATE-----\nan example\n-----END CERTIFICATE-----\n"
    server_key         = "-----BEGIN PRIVATE KEY-----\nan example\n-----END PRIVATE KEY-----\n"
    tokens = {
      management = "00000000-0000-0000-0000-00000000aaaa"
      agent      = "00000000-0000-0000-0000-00000000bbbb"
      services   = "00000000-0000-0000-0000-00000000cccc"
    }
  }
}

run "what_a_server_is_told" {
  command = plan

  assert {
    condition     = startswith(local.user_data["consul-1"], "#cloud-config\n") && join(" ", [for file in yamldecode(local.user_data["consul-1"]).write_files : file.path]) == "/etc/consul.d/consul.json /etc/systemd/system/consul.service.d/dial.conf /etc/consul-acl/policies.json /usr/local/sbin/consul-acl /usr/local/sbin/consul-yield /etc/systemd/system/consul.service.d/yield.conf /etc/systemd/system/consul-acl.service"
    error_message = "A server does not get these files: ${local.user_data["consul-1"]}"
  }

  assert {
    condition = yamldecode(local.user_data["consul-1"]).runcmd == yamldecode(<<-EOT
      - [systemctl, daemon-reload]
      - [systemctl, enable, --now, consul.service]
      - [systemctl, enable, --now, --no-block, consul-acl.service]
    EOT
    )
    error_message = "A server does not start what it is: ${local.user_data["consul-1"]}"
  }

  # The whole of it, so that whoever changes it sees what a server gets.
  assert {
    condition = jsondecode(yamldecode(local.user_data["consul-2"]).write_files[0].content) == jsondecode(<<-EOT
      {
        "server": true, "node_name": "consul-2", "datacenter": "dc1", "bootstrap_expect": 3,
        "data_dir": "/var/lib/consul", "bind_addr": "10.0.0.22", "client_addr": "127.0.0.1", "addresses": {"https": "10.0.0.22"},
        "ports": {"https": 8501, "serf_wan": -1, "grpc": -1, "grpc_tls": -1},
        "retry_join": ["10.0.0.21", "10.0.0.22", "10.0.0.23"], "retry_interval": "2s", "disable_update_check": true,
        "performance": {"raft_multiplier": 1}, "connect": {"enabled": true}, "auto_encrypt": {"allow_tls": true},
        "autopilot": {"cleanup_dead_servers": true, "min_quorum": 3, "last_contact_threshold": "200ms", "server_stabilization_time": "10s"},
        "gossip_lan": {"probe_interval": "500ms", "probe_timeout": "300ms", "suspicion_mult": 3, "gossip_interval": "200ms"},
        "dns_config": {"enable_truncate": true, "allow_stale": true, "max_stale": "87600h", "node_ttl": "2s", "service_ttl": {"*": "2s", "mysql-writer": "1s", "mysql-reader": "1s"}},
        "tls": {
          "defaults": {
            "ca_file": "/etc/consul.d/tls/ca.pem", "cert_file": "/etc/consul.d/tls/server.pem", "key_file": "/etc/consul.d/tls/server-key.pem",
            "verify_incoming": true, "verify_outgoing": true
          },
          "internal_rpc": {"verify_server_hostname": true},
          "https": {"verify_incoming": false}
        },
        "acl": {"enabled": true, "default_policy": "deny", "down_policy": "async-cache"},
        "leave_on_terminate": false, "skip_leave_on_interrupt": true
      }
    EOT
    )
    error_message = "A server is told something else: ${yamldecode(local.user_data["consul-2"]).write_files[0].content}"
  }

  assert {
    condition     = join(" ", [for policy in jsondecode(yamldecode(local.user_data["consul-3"]).write_files[2].content) : policy.Name]) == "agent dns gateway mysql-pair services"
    error_message = "The servers do not make these policies."
  }
}

run "what_every_other_agent_is_told" {
  command = plan

  assert {
    condition = jsondecode(output.agent.files["/etc/consul.d/consul.json"]) == jsondecode(<<-EOT
      {
        "server": false, "datacenter": "dc1", "data_dir": "/var/lib/consul", "bind_addr": "{{ GetInterfaceIP \"lan\" }}", "client_addr": "127.0.0.1",
        "ports": {"grpc": -1, "grpc_tls": -1},
        "retry_join": ["10.0.0.21", "10.0.0.22", "10.0.0.23"], "retry_interval": "2s", "disable_update_check": true,
        "auto_encrypt": {"tls": true}, "enable_local_script_checks": true,
        "gossip_lan": {"probe_interval": "500ms", "probe_timeout": "300ms", "suspicion_mult": 3, "gossip_interval": "200ms"},
        "dns_config": {"enable_truncate": true, "allow_stale": true, "max_stale": "87600h", "node_ttl": "2s", "service_ttl": {"*": "2s", "mysql-writer": "1s", "mysql-reader": "1s"}},
        "limits": {"rpc_client_timeout": "1s"},
        "tls": {
          "defaults": {"ca_file": "/etc/consul.d/tls/ca.pem", "verify_outgoing": true},
          "internal_rpc": {"verify_server_hostname": true}
        },
        "acl": {"enabled": true, "default_policy": "deny", "down_policy": "async-cache"},
        "leave_on_terminate": true, "skip_leave_on_interrupt": false
      }
    EOT
    )
    error_message = "An agent is told something else: ${output.agent.files["/etc/consul.d/consul.json"]}"
  }

  assert {
    condition     = output.agent.files["/etc/systemd/system/consul.service.d/dial.conf"] == yamldecode(local.user_data["consul-1"]).write_files[1].content
    error_message = "An agent tries for longer than a server to reach one that is gone."
  }

  assert {
    condition     = output.addresses["consul-3"] == "https://10.0.0.23:8501"
    error_message = "The servers' API is not at their own addresses."
  }

  assert {
    condition     = output.detection.typical == 2.5 && output.detection.longest == 10
    error_message = "The loss of a machine is not known within these times: ${jsonencode(output.detection)}"
  }
}

run "more_machines_are_given_more_time" {
  command = plan

  variables {
    detection = { members = 100 }
  }

  assert {
    condition     = abs(output.detection.typical - 4) < 0.001
    error_message = "A hundred members do not double the suspicion: ${jsonencode(output.detection)}"
  }
}

run "a_policy_of_ones_own" {
  command = plan

  variables {
    policies = { backup = "key_prefix \"\" { policy = \"read\" }" }
  }

  assert {
    condition     = contains([for policy in jsondecode(yamldecode(local.user_data["consul-1"]).write_files[2].content) : policy.Name], "backup")
    error_message = "The servers do not make a further policy."
  }
}
