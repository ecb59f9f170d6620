# What the servers and the sentinels are told.

mock_provider "hypervisor" {
  mock_resource "hypervisor_volume" {
    defaults = { id = "alpha/default/volume.qcow2" }
  }
}

variables {
  machines = {
    redis-1       = { placement = { host = "alpha", pins = ["2", "34"] }, address = "10.0.0.81/24", memory = "8GiB" }
    redis-2       = { placement = { host = "beta", pins = ["2", "34"] }, address = "10.0.0.82/24", memory = "8GiB" }
    redis-witness = { placement = { host = "gamma", pins = ["1"] }, address = "10.0.0.83/24", memory = "512MiB" }
  }
  witness        = "redis-witness"
  password       = "only-for-the-tests"
  image          = { volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.qcow2" } }
  network        = { bridge = "br0", gateway = "10.0.0.1" }
  consul         = { files = { "/etc/consul.d/agent.json" = "{}" } }
  consul_secrets = { "/etc/consul.d/secret.json" = "{}" }
}

run "three_sentinels_decide_for_two_servers" {
  command = plan

  assert {
    condition = (
      !strcontains(output.files["redis-1"]["/etc/redis/redis.conf"], "replicaof") &&
      strcontains(output.files["redis-2"]["/etc/redis/redis.conf"], "\nreplicaof 10.0.0.81 6379\n") &&
      alltrue([for line in ["maxmemory 4096mb", "maxmemory-policy noeviction", "min-replicas-to-write 1", "min-replicas-max-lag 3"] : strcontains(output.files["redis-1"]["/etc/redis/redis.conf"], "\n${line}\n")])
    )
    error_message = "The servers are no pair:\n${output.files["redis-2"]["/etc/redis/redis.conf"]}"
  }

  assert {
    condition = alltrue([
      for name in keys(var.machines) : alltrue([
        for line in ["sentinel monitor redis 10.0.0.81 6379 ${name == "redis-witness" ? 4 : 2}", "sentinel down-after-milliseconds redis 2000", "sentinel failover-timeout redis 5000"] :
        strcontains(output.files[name]["/etc/redis/sentinel.conf"], "${line}\n")
      ])
    ])
    error_message = "The sentinels watch something else:\n${output.files["redis-witness"]["/etc/redis/sentinel.conf"]}"
  }

  assert {
    condition = (
      !contains(keys(output.files["redis-witness"]), "/etc/redis/redis.conf") && !contains(keys(output.files["redis-witness"]), "/etc/consul.d/redis.json") &&
      strcontains(output.files["redis-2"]["/usr/local/sbin/redis-guard"], "for sentinel in 10.0.0.81 10.0.0.82 10.0.0.83; do") &&
      strcontains(output.files["redis-2"]["/usr/local/sbin/redis-guard"], "-ge 2 ]")
    )
    error_message = "The witness is a server, or the guard asks others:\n${output.files["redis-2"]["/usr/local/sbin/redis-guard"]}"
  }

  assert {
    condition = jsonencode([for service in jsondecode(output.files["redis-2"]["/etc/consul.d/redis.json"]).services : [service.name, service.address, service.check.args]]) == jsonencode([
      ["redis-writer", "10.0.0.82", ["/usr/local/sbin/redis-role", "writer"]], ["redis-reader", "10.0.0.82", ["/usr/local/sbin/redis-role", "reader"]],
    ])
    error_message = "The services do not follow the roles: ${output.files["redis-2"]["/etc/consul.d/redis.json"]}"
  }

  assert {
    condition     = !strcontains(jsonencode(local.user_data), "only-for-the-tests") && output.timers.writer == 6.5 && output.timers.lag == 3 && output.maxmemory["redis-1"] == 4096
    error_message = "The password stands in the plan, or the timers are wrong: ${jsonencode(output.timers)}"
  }
}

run "a_cache_with_a_witness_outside" {
  command = plan

  variables {
    machines = {
      cache-1 = { placement = { host = "alpha", pins = ["2", "34"] }, address = "10.0.0.81/24", memory = "1GiB" }
      cache-2 = { placement = { host = "beta", pins = ["2", "34"] }, address = "10.0.0.82/24", memory = "1GiB" }
    }
    image           = { kind = "archive", volumes = { alpha = "alpha/default/debian-12.tar", beta = "beta/default/debian-12.tar" } }
    name            = "cache"
    witness         = null
    witness_address = "10.9.0.5"
    eviction        = "allkeys-lru"
    memory_percent  = 75
    down_after      = "1500ms"
  }

  assert {
    condition = (
      output.services == { writer = "cache-writer", reader = "cache-reader" } && output.maxmemory["cache-1"] == 768 &&
      strcontains(output.files["cache-1"]["/etc/redis/sentinel.conf"], "sentinel down-after-milliseconds cache 1500\n") &&
      strcontains(output.files["cache-1"]["/usr/local/sbin/redis-guard"], "10.9.0.5")
    )
    error_message = "The cache is not what was asked for: ${jsonencode(output.services)}"
  }
}

run "two_hosts_without_a_witness" {
  command = plan

  variables {
    machines = {
      redis-1 = { placement = { host = "alpha", pins = ["2", "34"] }, address = "10.0.0.81/24", memory = "8GiB" }
      redis-2 = { placement = { host = "beta", pins = ["2", "34"] }, address = "10.0.0.82/24", memory = "8GiB" }
    }
    witness       = null
    auto_failover = false
  }

  assert {
    condition = (
      strcontains(output.files["redis-1"]["/etc/redis/redis.conf"], "min-replicas-to-write 0\n") &&
      strcontains(output.files["redis-1"]["/etc/redis/sentinel.conf"], "sentinel monitor redis 10.0.0.81 6379 2\n") && # both: the loss of one is no majority
      !strcontains(local.user_data["redis-1"], "\"redis-guard\"")
    )
    error_message = "A lone server would wait for its replica, or be replaced."
  }
}
