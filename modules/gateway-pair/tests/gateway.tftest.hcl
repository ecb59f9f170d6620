# What a gateway is told: its engine's configuration, who has the address, and what Consul asks it.

mock_provider "hypervisor" {
  mock_resource "hypervisor_volume" {
    defaults = { id = "alpha/default/volume.qcow2" }
  }
}

variables {
  address = "10.0.0.100/24"
  machines = {
    gateway-1 = { placement = { host = "alpha", pins = ["2", "34"] }, address = "10.0.0.31/24", memory = "4GiB" }
    gateway-2 = { placement = { host = "beta", pins = ["2", "34"] }, address = "10.0.0.32/24", memory = "4GiB" }
    gateway-3 = { placement = { host = "beta", pins = ["3", "35"] }, address = "10.0.0.33/24", memory = "4GiB" }
  }
  image          = { volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2" } }
  network        = { bridge = "br0", gateway = "10.0.0.1" }
  consul         = { files = { "/etc/consul.d/agent.json" = "{}" } }
  consul_secrets = { "/etc/consul.d/secret.json" = "{}" }
}

run "traefik" {
  command = plan

  variables {
    https        = { certificates = ["shop"] }
    certificates = { shop = { certificate = "a certificate", key = "a key" } }
    routes       = { shop = { service = "web", hosts = ["a.example.com", "b.example.com"], paths = ["/", "/api"], tries = 2 } }
  }

  assert {
    condition = jsonencode(yamldecode(output.files["gateway-2"]["/etc/traefik/traefik.yml"]).entryPoints) == jsonencode({
      ping      = { address = "127.0.0.1:8100" }
      web       = { address = ":80", asDefault = false, http = { redirections = { entryPoint = { to = "websecure", scheme = "https", permanent = true } } }, transport = { lifeCycle = { graceTimeOut = "10s" } } }
      websecure = { address = ":443", asDefault = true, http = { tls = {} }, transport = { lifeCycle = { graceTimeOut = "10s" } } }
    })
    error_message = "Traefik does not listen where it should:\n${output.files["gateway-2"]["/etc/traefik/traefik.yml"]}"
  }

  assert {
    condition = jsonencode(yamldecode(output.files["gateway-1"]["/etc/traefik/dynamic/gateway.yml"])) == jsonencode({
      http = {
        middlewares = { shop-again = { retry = { attempts = 2 } } }
        routers = { shop = {
          middlewares = ["shop-again"]
          rule        = "(Host(`a.example.com`) || Host(`b.example.com`)) && (PathPrefix(`/`) || PathPrefix(`/api`))"
          service     = "web@consulcatalog"
        } }
      }
      tls = {
        certificates = [{ certFile = "/etc/gateway/certificates/shop.crt", keyFile = "/etc/gateway/certificates/shop.key" }]
        options      = { default = { minVersion = "VersionTLS12" } }
      }
    })
    error_message = "The routes or the certificates are wrong:\n${output.files["gateway-1"]["/etc/traefik/dynamic/gateway.yml"]}"
  }

  assert {
    condition     = jsonencode(output.priorities) == jsonencode({ gateway-1 = 250, gateway-2 = 240, gateway-3 = 230 })
    error_message = "Two gateways have the same priority: ${jsonencode(output.priorities)}"
  }

  assert {
    condition = (
      strcontains(output.files["gateway-2"]["/etc/keepalived/keepalived.conf"], "\tpriority 240\n\tadvert_int 0.30\n\tnopreempt\n") &&
      strcontains(output.files["gateway-2"]["/etc/keepalived/keepalived.conf"], "\tunicast_src_ip 10.0.0.32\n\tunicast_peer {\n\t\t10.0.0.31\n\t\t10.0.0.33\n\t}\n") &&
      strcontains(output.files["gateway-2"]["/etc/keepalived/keepalived.conf"], "\t\t10.0.0.100/32 dev lan\n")
    )
    error_message = "keepalived does not know its place:\n${output.files["gateway-2"]["/etc/keepalived/keepalived.conf"]}"
  }

  assert {
    condition = (
      strcontains(output.files["gateway-2"]["/usr/local/sbin/gateway-leave"], "ip daddr 10.0.0.100 tcp dport { 80, 443 } ") &&
      strcontains(output.files["gateway-2"]["/usr/local/sbin/gateway-leave"], "--value traefik.service") &&
      strcontains(output.files["gateway-2"]["/usr/local/sbin/gateway-leave"], "kill -s TERM \"$gateway\"\n") &&
      strcontains(output.files["gateway-2"]["/usr/local/sbin/gateway-leave"], "src 10.0.0.100 and ( sport = :80 or sport = :443 )") &&
      strcontains(output.files["gateway-2"]["/usr/local/sbin/gateway-leave"], "{1..40}") &&
      strcontains(output.files["gateway-2"]["/etc/systemd/system/keepalived.service.d/gateway.conf"], "ExecStop=-+/usr/local/sbin/gateway-leave\n")
    )
    error_message = "A gateway that stops does not end its requests first:\n${output.files["gateway-2"]["/usr/local/sbin/gateway-leave"]}"
  }

  assert {
    condition     = abs(output.timers.takeover - (0.9 + 26 / 256 * 0.3)) < 0.001 && output.timers.check == 4 && output.timers.dial == 1
    error_message = "The timers do not follow from the intervals: ${jsonencode(output.timers)}"
  }

  assert {
    condition     = jsondecode(output.files["gateway-3"]["/etc/consul.d/gateway.json"]).service.port == 443
    error_message = "The gateway is not in Consul at its port."
  }

  assert {
    condition = (
      !strcontains(local.user_data["gateway-1"], "a key") && alltrue([for files in values(output.files) : !contains(keys(files), "/etc/gateway/certificates/shop.key")]) &&
      strcontains(local.user_data["gateway-1"], "\"permissions\": \"0755\"")
    )
    error_message = "A secret stands in the plan, or the check cannot be executed."
  }
}

run "traefik_without_https" {
  command = plan

  variables {
    https = { enabled = false }
    vrrp  = { advert_interval = "1.5s", preempt = true, failures = 3, router_id = 7 }
  }

  assert {
    condition = jsonencode(yamldecode(output.files["gateway-1"]["/etc/traefik/traefik.yml"]).entryPoints) == jsonencode({
      ping = { address = "127.0.0.1:8100" }
      web  = { address = ":80", asDefault = true, transport = { lifeCycle = { graceTimeOut = "10s" } } }
    })
    error_message = "Traefik does not listen where it should:\n${output.files["gateway-1"]["/etc/traefik/traefik.yml"]}"
  }

  assert {
    condition = (
      strcontains(output.files["gateway-1"]["/etc/keepalived/keepalived.conf"], "\tvirtual_router_id 7\n\tpriority 250\n\tadvert_int 1.50\n\tunicast_src_ip") &&
      strcontains(output.files["gateway-1"]["/etc/keepalived/keepalived.conf"], "\tfall 3\n")
    )
    error_message = "keepalived is not told its timers:\n${output.files["gateway-1"]["/etc/keepalived/keepalived.conf"]}"
  }
}

run "kong_without_a_database" {
  command = plan

  variables {
    engine = "kong"
    routes = { shop = { service = "web", hosts = ["shop.example.com"] } }
  }

  assert {
    condition = alltrue([
      for line in ["dns_resolver = 127.0.0.1:8600", "dns_order = LAST,SRV,A,CNAME", "dns_not_found_ttl = 1", "database = off", "declarative_config = /etc/kong/kong.yml", "admin_listen = off"] :
      strcontains(output.files["gateway-1"]["/etc/kong/kong.conf"], "${line}\n")
    ])
    error_message = "Kong is not told how to ask Consul:\n${output.files["gateway-1"]["/etc/kong/kong.conf"]}"
  }

  assert {
    condition = jsonencode(yamldecode(output.files["gateway-1"]["/etc/kong/kong.yml"])) == jsonencode({
      _format_version = "3.0"
      services = [{
        name   = "shop", host = "web", port = 80, protocol = "http", connect_timeout = 1000, retries = 2
        routes = [{ name = "shop", hosts = ["shop.example.com"], paths = ["/"], strip_path = false, preserve_host = true, protocols = ["https"], https_redirect_status_code = 308 }]
      }]
      upstreams = [{ name = "web", targets = [{ target = "web.service.consul:80" }] }]
    })
    error_message = "Kong has other routes:\n${output.files["gateway-1"]["/etc/kong/kong.yml"]}"
  }
}

run "kong_with_a_database" {
  command = plan

  variables {
    engine        = "kong"
    kong          = { admin = true, postgres = { host = "10.0.0.71" } }
    kong_password = "a password"
    image         = { kind = "archive", volumes = { alpha = "alpha/default/debian-12.tar", beta = "beta/default/debian-12.tar" } }
  }

  assert {
    condition = (
      alltrue([for line in ["database = postgres", "pg_host = 10.0.0.71", "admin_listen = 10.0.0.31:8001, 127.0.0.1:8001"] : strcontains(output.files["gateway-1"]["/etc/kong/kong.conf"], "${line}\n")]) &&
      !strcontains(local.user_data["gateway-1"], "a password") && !contains(keys(output.files["gateway-1"]), "/etc/kong/kong.yml")
    )
    error_message = "Kong does not know its database:\n${output.files["gateway-1"]["/etc/kong/kong.conf"]}"
  }
}
