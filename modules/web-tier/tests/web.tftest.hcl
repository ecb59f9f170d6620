# What a web machine is told: Apache's limits, its service in Consul, and how it leaves.

mock_provider "hypervisor" {
  mock_resource "hypervisor_volume" {
    defaults = { id = "alpha/default/volume.qcow2" }
  }
}

variables {
  machines = {
    web-1 = { placement = { host = "alpha", pins = ["2", "34"] }, address = "10.0.0.101/24", memory = "4GiB" }
    web-2 = { placement = { host = "beta", pins = ["2", "34"] }, address = "10.0.0.102/24", memory = "1024MiB" }
  }
  image          = { volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2" } }
  network        = { bridge = "br0", gateway = "10.0.0.1" }
  consul         = { files = { "/etc/consul.d/agent.json" = "{}" } }
  consul_secrets = { "/etc/consul.d/secret.json" = "{}" }
}

run "apache_with_php" {
  command = plan

  assert {
    condition     = output.workers == tomap({ web-1 = 56, web-2 = 8 }) # (4096 - 512) / 64 and (1024 - 512) / 64
    error_message = "The workers do not follow from the memory: ${jsonencode(output.workers)}"
  }

  assert {
    condition = (
      strcontains(output.files["web-1"]["/etc/apache2/conf-available/web-tier.conf"], "MaxRequestWorkers 56\n") &&
      strcontains(output.files["web-1"]["/etc/apache2/conf-available/web-tier.conf"], "php_admin_value memory_limit 64M\n") &&
      output.files["web-1"]["/var/www/html/health"] == "ok\n" && output.files["web-1"]["/etc/apache2/ports.conf"] == "Listen 80\n"
    )
    error_message = "Apache is not told its limits:\n${output.files["web-1"]["/etc/apache2/conf-available/web-tier.conf"]}"
  }

  assert {
    condition = jsondecode(output.files["web-2"]["/etc/consul.d/web.json"]).service == {
      id    = "web-2", name = "web", address = "10.0.0.102", port = 80, tags = []
      check = { id = "web-2-http", name = "HTTP at /health", http = "http://10.0.0.102:80/health", interval = "2s", timeout = "1s" }
    }
    error_message = "The machine's own service is not in Consul: ${output.files["web-2"]["/etc/consul.d/web.json"]}"
  }

  assert {
    condition = (
      strcontains(output.files["web-1"]["/etc/systemd/system/consul-leave-web.service"], "After=network-online.target consul.service apache2.service\n") &&
      strcontains(output.files["web-1"]["/etc/systemd/system/consul-leave-web.service"], "ExecStop=-/usr/local/sbin/consul-leave-web\nTimeoutStopSec=90\n") &&
      strcontains(output.files["web-1"]["/usr/local/sbin/consul-leave-web"], "\nawait 0 30 '!=' ") &&
      endswith(output.files["web-1"]["/usr/local/sbin/consul-leave-web"], "\nsleep 10\n")
    )
    error_message = "The machine does not leave before the server and the agent stop:\n${output.files["web-1"]["/etc/systemd/system/consul-leave-web.service"]}"
  }

  assert {
    condition = (
      output.timers == { check = 3, drain = 10 } && output.service == "web" &&
      contains(yamldecode(local.user_data["web-1"]).runcmd, ["a2enconf", "web-tier"]) && !strcontains(local.user_data["web-1"], "secret")
    )
    error_message = "The timers are ${jsonencode(output.timers)}, or the user data is wrong:\n${local.user_data["web-1"]}"
  }
}

run "apache_without_php" {
  command = plan

  variables {
    apache      = { php = false }
    port        = 8080
    health_path = "/"
  }

  assert {
    condition = (
      output.workers == tomap({ web-1 = 1775, web-2 = 250 }) && # multiples of 25 threads
      strcontains(output.files["web-2"]["/etc/apache2/conf-available/web-tier.conf"], "ServerLimit 10\n\tThreadsPerChild 25\n\tMaxRequestWorkers 250\n")
    )
    error_message = "The workers are not threads: ${jsonencode(output.workers)}"
  }

  assert {
    condition     = !contains(keys(output.files["web-1"]), "/var/www/html/")
    error_message = "A folder is written as a file."
  }
}

run "another_server_in_a_container" {
  command = plan

  variables {
    image       = { kind = "archive", volumes = { alpha = "alpha/default/debian-12.tar", beta = "beta/default/debian-12.tar" } }
    server      = "none"
    service     = "shop-api"
    port        = 9000
    health_path = "/ready"
    packages    = ["caddy"]
    files       = { "/etc/caddy/Caddyfile" = ":9000\nrespond \"hello\"\n" }
    commands    = [["systemctl", "restart", "caddy"]]
    drain_time  = "1m30s"
  }

  assert {
    condition = (
      length(output.workers) == 0 && keys(output.files["web-1"]) == ["/etc/caddy/Caddyfile", "/etc/consul.d/agent.json", "/etc/consul.d/shop-api.json", "/etc/systemd/system/consul-leave-shop-api.service", "/usr/local/sbin/consul-leave-shop-api"] &&

      jsonencode(yamldecode(local.user_data["web-1"]).packages) == jsonencode(["caddy"]) && jsonencode(yamldecode(local.user_data["web-1"]).runcmd[0]) == jsonencode(["systemctl", "restart", "caddy"]) &&
      output.timers.drain == 90
    )
    error_message = "The machine is not what it was told to be: ${jsonencode(output.files["web-1"])}"
  }
}
