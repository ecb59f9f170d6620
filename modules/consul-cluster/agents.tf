# What Consul's agents are told: the servers, and one on every other machine.

locals {
  # How long any machine tries to reach a server.
  dial_path = "/etc/systemd/system/consul.service.d/dial.conf"
  dial      = file("${path.module}/files/consul-dial.conf")

  common = {
    datacenter           = var.datacenter
    data_dir             = "/var/lib/consul"
    retry_join           = sort(values(local.addresses))
    retry_interval       = "2s"
    disable_update_check = true

    # Names are resolved by the machine's own agent. HTTP is for what runs on the machine.
    client_addr = "127.0.0.1"

    gossip_lan = {
      probe_interval  = var.detection.probe_interval
      probe_timeout   = var.detection.probe_timeout
      suspicion_mult  = var.detection.suspicion_mult
      gossip_interval = "200ms"
    }

    dns_config = {
      # With a TTL of zero each connection would begin by a look-up; an answer that is longer than a UDP packet says so, and the
      # resolver asks again over TCP. Without a leader the servers answer from what they know.
      enable_truncate = true
      allow_stale     = true
      max_stale       = "87600h"
      node_ttl        = var.dns_ttl
      service_ttl     = merge({ "*" = var.dns_ttl }, var.service_ttl)
    }

    tls = {
      defaults = { ca_file = "/etc/consul.d/tls/ca.pem", verify_outgoing = true }
    }

    acl = {
      enabled        = true
      default_policy = "deny"
      down_policy    = "async-cache" # what was allowed stays so while no server answers, and nobody waits to hear that
    }
  }

  server = {
    for name, address in local.addresses : name => merge(local.common, {
      server           = true
      node_name        = name
      bootstrap_expect = length(var.machines)
      bind_addr        = address
      addresses        = { https = address }
      ports            = { https = 8501, serf_wan = -1, grpc = -1, grpc_tls = -1 }

      performance  = { raft_multiplier = 1 }
      connect      = { enabled = true } # it issues the agents' certificates
      auto_encrypt = { allow_tls = true }

      # A dead server goes when another one has taken its place, and never below three.
      autopilot = { cleanup_dead_servers = true, min_quorum = length(var.machines), last_contact_threshold = "200ms", server_stabilization_time = "10s" }

      tls = {
        defaults = merge(local.common.tls.defaults, {
          cert_file       = "/etc/consul.d/tls/server.pem"
          key_file        = "/etc/consul.d/tls/server-key.pem"
          verify_incoming = true
        })
        internal_rpc = { verify_server_hostname = true }
        https        = { verify_incoming = false } # people and Terraform show a token
      }

      # A server that restarts stays a voter: if it left, those that remain would be a smaller majority each time.
      leave_on_terminate      = false
      skip_leave_on_interrupt = true
    })
  }

  server_secrets = {
    "/etc/consul.d/secrets.json" = jsonencode({
      encrypt = var.secrets.gossip_key
      acl     = { tokens = { initial_management = var.secrets.tokens["management"], agent = var.secrets.tokens["agent"] } }
    })
    "/etc/consul.d/tls/ca.pem"         = var.secrets.ca_certificate
    "/etc/consul.d/tls/server.pem"     = var.secrets.server_certificate
    "/etc/consul.d/tls/server-key.pem" = var.secrets.server_key
  }

  agent = merge(local.common, {
    server = false

    # An agent keeps to one server, and would wait for one that dies for a minute, or until the others know: with all names that
    # it is asked for. One that hears nothing for a second asks another.
    limits = { rpc_client_timeout = "1s" }

    # The machine's address, whatever virtual one it holds besides: the larger network comes first.
    bind_addr = "{{ GetInterfaceIP \"lan\" }}"
    ports     = { grpc = -1, grpc_tls = -1 }

    enable_local_script_checks = true

    auto_encrypt = { tls = true }
    tls = {
      defaults     = local.common.tls.defaults
      internal_rpc = { verify_server_hostname = true }
    }

    # A machine that is shut down on purpose says so, and its services are out of DNS at once. One that dies is noticed.
    leave_on_terminate      = true
    skip_leave_on_interrupt = false
  })
}
