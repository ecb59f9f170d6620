# Who begins as a master, and what each machine is told.

mock_provider "hypervisor" {}

variables {
  machines = {
    redis-1 = { placement = { host = "alpha", pins = ["2", "34"] }, address = "10.0.0.71/24", memory = "8GiB", data = { redis = "20GiB" } }
    redis-2 = { placement = { host = "alpha", pins = ["3", "35"] }, address = "10.0.0.72/24", memory = "8GiB" }
    redis-3 = { placement = { host = "beta", pins = ["2", "34"] }, address = "10.0.0.73/24", memory = "8GiB" }
    redis-4 = { placement = { host = "beta", pins = ["3", "35"] }, address = "10.0.0.74/24", memory = "8GiB" }
    redis-5 = { placement = { host = "gamma", pins = ["2", "34"] }, address = "10.0.0.75/24", memory = "8GiB" }
    redis-6 = { placement = { host = "gamma", pins = ["3", "35"] }, address = "10.0.0.76/24", memory = "8GiB" }
  }
  image    = { volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.qcow2" } }
  network  = { bridge = "br0" }
  consul   = { files = { "/etc/consul.d/agent.json" = "{}" } }
  password = "not-a-real-password"
}

run "no_two_masters_share_a_host" {
  command = plan

  assert {
    condition     = length(distinct([for leader in keys(output.shards) : var.machines[leader].placement.host])) == 3
    error_message = "The masters are not on three hosts: ${jsonencode(output.shards)}"
  }

  assert {
    condition     = alltrue([for leader, shard in output.shards : alltrue([for replica in shard.replicas : var.machines[replica].placement.host != var.machines[leader].placement.host])])
    error_message = "A replica is beside its master: ${jsonencode(output.shards)}"
  }

  assert {
    condition     = sum([for shard in output.shards : shard.last - shard.first + 1]) == 16384 && length(distinct(flatten([for leader, shard in output.shards : concat([leader], shard.replicas)]))) == 6
    error_message = "The shards do not have all slots and all machines: ${jsonencode(output.shards)}"
  }
}

run "each_machine_is_told_its_part" {
  command = plan

  assert {
    condition = output.files["redis-4"]["/etc/redis/cluster"] == join("\n", [
      "self 10.0.0.74:6379",
      "shard 0 5460 10.0.0.71:6379 10.0.0.74:6379",
      "shard 5461 10921 10.0.0.73:6379 10.0.0.76:6379",
      "shard 10922 16383 10.0.0.75:6379 10.0.0.72:6379",
      "",
    ])
    error_message = "The layout is another one:\n${output.files["redis-4"]["/etc/redis/cluster"]}"
  }

  assert {
    condition     = strcontains(output.files["redis-4"]["/etc/redis/redis.conf"], "maxmemory 4915mb\n") && strcontains(output.files["redis-4"]["/etc/redis/redis.conf"], "cluster-node-timeout 5000\n")
    error_message = "Memory or time-out are others:\n${output.files["redis-4"]["/etc/redis/redis.conf"]}"
  }

  assert {
    condition     = output.rto_estimate.typical == 7 && output.rto_estimate.longest == 13
    error_message = "The estimate does not follow from the time-out: ${jsonencode(output.rto_estimate)}"
  }

  assert {
    condition     = !strcontains(jsonencode([output.files, local.user_data]), var.password)
    error_message = "The password is in what stands in the state."
  }

  assert {
    condition     = strcontains(local.user_data["redis-1"], "virtio-redis") && !strcontains(local.user_data["redis-2"], "virtio-redis") && startswith(local.user_data["redis-1"], "#cloud-config\n")
    error_message = "The data disk is not mounted where there is one:\n${local.user_data["redis-1"]}"
  }
}

# Two hosts and a witness that votes with one machine.
run "a_witness_is_the_third_vote" {
  command = plan

  variables {
    machines = {
      redis-1 = { placement = { host = "alpha", pins = ["2"] }, address = "10.0.0.71/24", memory = "8GiB" }
      redis-2 = { placement = { host = "alpha", pins = ["3"] }, address = "10.0.0.72/24", memory = "8GiB" }
      redis-3 = { placement = { host = "alpha", pins = ["4"] }, address = "10.0.0.73/24", memory = "8GiB" }
      redis-4 = { placement = { host = "beta", pins = ["2"] }, address = "10.0.0.74/24", memory = "8GiB" }
      redis-5 = { placement = { host = "beta", pins = ["3"] }, address = "10.0.0.75/24", memory = "8GiB" }
      redis-6 = { placement = { host = "gamma", pins = ["2"] }, address = "10.0.0.76/24", memory = "1GiB" }
    }
  }

  assert {
    condition     = join(",", sort(keys(output.shards))) == "redis-1,redis-4,redis-6" && alltrue([for leader, shard in output.shards : var.machines[shard.replicas[0]].placement.host != var.machines[leader].placement.host])
    error_message = "The masters are not one of each host, with their replicas elsewhere: ${jsonencode(output.shards)}"
  }
}

run "two_replicas_each" {
  command = plan

  variables {
    replicas = 2
    machines = { for n in range(15) : "redis-${10 + n}" => { placement = { host = ["alpha", "beta", "gamma"][n % 3], pins = ["${n}"] }, address = "10.0.0.${70 + n}/24", memory = "8GiB" } }
  }

  assert {
    condition     = length(output.shards) == 5 && alltrue([for leader, shard in output.shards : length(distinct(shard.replicas)) == 2 && alltrue([for replica in shard.replicas : var.machines[replica].placement.host != var.machines[leader].placement.host])])
    error_message = "Five masters do not have two replicas each on other hosts: ${jsonencode(output.shards)}"
  }
}

run "racks_count_as_one" {
  command = plan

  variables {
    failure_domains = { alpha = "rack-1", beta = "rack-2", gamma = "rack-3", delta = "rack-1" }
    machines        = { for n in range(6) : "redis-${n + 1}" => { placement = { host = ["alpha", "beta", "gamma", "delta", "beta", "gamma"][n], pins = ["${n}"] }, address = "10.0.0.${71 + n}/24", memory = "8GiB" } }
    image           = { volumes = { for host in ["alpha", "beta", "gamma", "delta"] : host => "${host}/default/debian-12.qcow2" } }
  }

  assert {
    condition     = alltrue([for leader, shard in output.shards : var.failure_domains[var.machines[leader].placement.host] != var.failure_domains[var.machines[shard.replicas[0]].placement.host]])
    error_message = "A replica is in the rack of its master: ${jsonencode(output.shards)}"
  }
}
