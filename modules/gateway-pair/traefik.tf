# Traefik: what it listens at stands in its static configuration, what it routes comes from Consul.

locals {
  traefik = {
    unit  = "traefik.service"
    ping  = "/ping"
    leave = "TERM" # it ends what it has, and idle connections

    files = {
      for name in local.names : name => {
        "/etc/traefik/traefik.yml"                           = yamlencode(local.traefik_static)
        "/etc/traefik/dynamic/gateway.yml"                   = yamlencode(local.traefik_dynamic)
        "/etc/systemd/system/traefik.service.d/gateway.conf" = <<-EOT
          [Unit]
          After=consul.service
          Wants=consul.service
          [Service]
          Restart=always
          EnvironmentFile=-${local.traefik_environment}
          LimitNOFILE=1048576
          TimeoutStopSec=${ceil(local.seconds.grace) + 5}
        EOT
      }
    }

    commands = [["systemctl", "enable", "--now", "traefik"]]
  }

  traefik_environment = "/etc/traefik/secrets.env"

  # What it still has when it is told to stop is answered.
  transport = { lifeCycle = { graceTimeOut = var.grace_time } }

  redirects = var.https.enabled && var.https.redirect

  entry_points = {
    ping = { address = "127.0.0.1:${local.ping_port}" }
    web = merge(
      { address = ":80", asDefault = !local.redirects, transport = local.transport },
      { for key, value in { redirections = { entryPoint = { to = "websecure", scheme = "https", permanent = true } } } : "http" => { (key) = value } if local.redirects },
    )
    websecure = { address = ":443", asDefault = true, transport = local.transport, http = { tls = {} } }
  }

  traefik_static = {
    global = { checkNewVersion = false, sendAnonymousUsage = false }
    log    = { level = "INFO" }
    ping   = { entryPoint = "ping" }

    entryPoints = { for name, point in local.entry_points : name => point if name != "websecure" || var.https.enabled }

    providers = {
      providersThrottleDuration = "500ms"
      file                      = { directory = "/etc/traefik/dynamic" }
      consul                    = { rootKey = var.key_prefix, endpoints = ["127.0.0.1:8500"] }
      consulCatalog = {
        endpoint         = { address = "127.0.0.1:8500", scheme = "http" }
        refreshInterval  = "1s" # and no watch: one that a server has died on would wait for a minute
        stale            = true # any server's answer will do while there is no leader
        exposedByDefault = true
        defaultRule      = "!PathPrefix(`/`)" # every path begins with it: only declared routes are public
      }
    }

    serversTransport = {
      maxIdleConnsPerHost = 32
      forwardingTimeouts  = { dialTimeout = var.dial_timeout, idleConnTimeout = var.idle_timeout }
    }
  }

  traefik_dynamic = merge(
    {
      tls = merge(
        { options = { default = { minVersion = "VersionTLS12" } } },
        length(var.https.certificates) == 0 ? {} : {
          certificates = [for name in var.https.certificates : { certFile = "${local.certificates}/${name}.crt", keyFile = "${local.certificates}/${name}.key" }]
        },
      )
    },
    length(var.routes) == 0 ? {} : {
      http = {
        routers = {
          for name, route in var.routes : name => {
            service     = "${route.service}@consulcatalog"
            middlewares = ["${name}-again"]
            rule = join(" && ", [
              for matchers in [[for host in route.hosts : "Host(`${host}`)"], [for path in route.paths : "PathPrefix(`${path}`)"]] :
              "(${join(" || ", matchers)})" if length(matchers) > 0
            ])
          }
        }
        middlewares = { for name, route in var.routes : "${name}-again" => { retry = { attempts = route.tries } } }
      }
    },
  )
}
