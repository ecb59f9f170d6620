# Kong: everything that keeps Consul's health and weights alive on the way through its DNS client.

locals {
  kong = {
    unit  = "kong.service"
    ping  = "/status/ready"
    leave = "QUIT" # nginx ends what it has, and idle connections

    files = {
      for name in local.names : name => merge(
        {
          "/etc/kong/kong.conf"                             = join("", [for key, value in local.kong_settings[name] : "${key} = ${value}\n"])
          "/etc/systemd/system/kong.service.d/gateway.conf" = <<-EOT
            [Unit]
            After=consul.service
            Wants=consul.service
            [Service]
            Restart=always
            EnvironmentFile=-${local.kong_environment}
            LimitNOFILE=1048576
          EOT
        },
        var.kong.postgres == null ? { "/etc/kong/kong.yml" = local.kong_declaration } : {},
      )
    }

    commands = concat(
      # Waits for the database, and does nothing where another gateway was first.
      var.kong.postgres == null ? [] : [["sh", "-c", "set -a; . ${local.kong_environment}; until kong migrations bootstrap; do sleep 2; done; kong migrations up --yes && kong migrations finish"]],
      [["systemctl", "enable", "--now", "kong"]],
    )
  }

  kong_environment = "/etc/kong/secrets.env"
  kong_secrets = var.engine != "kong" || try(var.kong.postgres, null) == null ? {} : {
    (local.kong_environment) = { content = "KONG_PG_PASSWORD='${var.kong_password}'\n", owner = "root:root" }
  }

  kong_settings = {
    for name in local.names : name => merge(
      {
        proxy_listen  = join(", ", concat(["0.0.0.0:80 reuseport backlog=16384"], var.https.enabled ? ["0.0.0.0:443 http2 ssl reuseport backlog=16384"] : []))
        admin_listen  = var.kong.admin ? "${local.addresses[name]}:8001, 127.0.0.1:8001" : "off"
        status_listen = "127.0.0.1:${local.ping_port}"

        # Consul's own agent answers. SRV records have the instances' ports; without a time to live above zero, which the agents
        # of the module consul-cluster set, Kong would take all instances for one and lose the health of each.
        dns_resolver                = "127.0.0.1:8600"
        dns_order                   = "LAST,SRV,A,CNAME"
        dns_stale_ttl               = 60 # an agent that restarts is not noticed
        dns_not_found_ttl           = 1  # 30 s by default, in which a service that came back would not be seen
        dns_error_ttl               = 1
        dns_no_sync                 = "off" # one question at a time for each name
        router_flavor               = "traditional_compatible"
        anonymous_reports           = "off"
        lua_ssl_trusted_certificate = "system"

        upstream_keepalive_idle_timeout = ceil(local.seconds.idle)
        nginx_main_worker_rlimit_nofile = 1048576
      },
      var.kong.postgres == null ? { database = "off", declarative_config = "/etc/kong/kong.yml" } : {
        database                             = "postgres"
        pg_host                              = var.kong.postgres.host
        pg_port                              = var.kong.postgres.port
        pg_user                              = var.kong.postgres.user
        pg_database                          = var.kong.postgres.database
        pg_ssl                               = var.kong.postgres.tls ? "on" : "off"
        pg_ssl_verify                        = var.kong.postgres.tls ? "on" : "off"
        db_update_frequency                  = 1 # 5 s by default: how long another gateway's change is not seen
        db_cache_warmup_entities             = "services,upstreams,targets"
        worker_state_update_frequency        = 1
      },
      !var.https.enabled || length(var.https.certificates) == 0 ? {} : {
        ssl_cert     = join(",", [for name in var.https.certificates : "${local.certificates}/${name}.crt"])
        ssl_cert_key = join(",", [for name in var.https.certificates : "${local.certificates}/${name}.key"])
      },
    )
  }

  kong_declaration = yamlencode({
    _format_version = "3.0"
    upstreams       = [for service in distinct([for route in values(var.routes) : route.service]) : { name = service, targets = [{ target = "${service}.service.consul:80" }] }]
    services = [
      for name, route in var.routes : {
        name            = name
        host            = route.service
        port            = 80
        protocol        = "http"
        connect_timeout = local.seconds.dial * 1000
        retries         = route.tries - 1
        routes = [merge(
          { name = name, paths = route.paths, strip_path = false, preserve_host = true, protocols = var.https.enabled ? (var.https.redirect ? ["https"] : ["http", "https"]) : ["http"] },
          var.https.enabled && var.https.redirect ? { https_redirect_status_code = 308 } : {},
          length(route.hosts) > 0 ? { hosts = route.hosts } : {},
        )]
      }
    ]
  })
}
