# The anchors: what was seen in production at one billion yuan a year, and what was expected of ten.

run "one_billion_is_what_was_seen_in_production" {
  command = plan

  variables {
    annual_gmv = 1e9
  }

  assert {
    condition     = output.tiers.gateway.vcpus == 2 && output.tiers.gateway.memory_gib == 4
    error_message = "The gateway is not the 2-core machine with 4 GiB: ${jsonencode(output.tiers.gateway)}"
  }

  assert {
    condition     = abs(output.gateway_load_percent - 20) < 1
    error_message = "The gateway's load is not 20 % but ${output.gateway_load_percent} %."
  }
}

run "ten_billion_is_what_was_expected" {
  command = plan

  variables {
    annual_gmv = 1e10
  }

  assert {
    condition     = output.tiers.gateway.vcpus == 8 && output.tiers.gateway.machines == 2 && output.gateway_load_percent < 60
    error_message = "A gateway of 8 cores and one that stands by do not suffice: ${jsonencode(output.tiers.gateway)}"
  }

  assert {
    condition     = abs(output.traffic.orders - 320) < 10 && abs(output.traffic.requests - 16000) < 500
    error_message = "The peak is not about 320 orders and 16,000 requests per second: ${jsonencode(output.traffic)}"
  }

  assert {
    condition     = abs(output.tiers.web.machines - 210) <= 5 && output.web_ordinary == 34
    error_message = "The web machines are not about 210 at the sale and 34 on ordinary days: ${output.tiers.web.machines}, ${output.web_ordinary}"
  }

  assert {
    condition     = output.tiers.mysql.machines == 8 && output.tiers.consul.machines == 3
    error_message = "MySQL is not four pairs, or Consul not three servers: ${jsonencode(output.tiers)}"
  }

  assert {
    condition     = length(output.machines) == output.total.machines && output.machines["web-${output.tiers.web.machines}"].group == "web"
    error_message = "The machines by name are not those that are counted."
  }
}

run "a_host_may_be_lost" {
  command = plan

  variables {
    annual_gmv = 1e10
  }

  assert {
    condition     = output.headroom_after_loss_percent >= 0 && (output.hosts - 1) * 60 >= output.total.vcpus
    error_message = "After the loss of one of ${output.hosts} hosts the machines do not all find room."
  }
}

run "without_a_spare_the_loss_is_told" {
  command = plan

  variables {
    annual_gmv = 1e10
    host       = { spare = 0 }
  }

  assert {
    condition     = output.headroom_after_loss_percent < 0
    error_message = "Without a spare host there is headroom of ${output.headroom_after_loss_percent} %."
  }
}

run "a_hundred_billion_has_machines_by_the_thousand" {
  command = plan

  variables {
    annual_gmv = 1e11
  }

  assert {
    condition     = output.tiers.web.machines > 2000 && length(output.machines) == output.total.machines
    error_message = "${length(output.machines)} machines have names, of ${output.total.machines}."
  }

  assert {
    condition     = output.gateway_load_percent <= 60 && output.tiers.gateway.machines > 2
    error_message = "The gateways are too few: ${jsonencode(output.tiers.gateway)}"
  }
}

run "memory_decides_where_it_is_scarce" {
  command = plan

  variables {
    annual_gmv = 1e10
    host       = { memory = "0.0625TiB", reserved_memory = "2048MiB", spare = 0 }
  }

  assert {
    condition     = output.hosts == ceil(output.total.memory_gib / 62)
    error_message = "${output.hosts} hosts of 62 GiB do not follow from ${output.total.memory_gib} GiB."
  }
}

run "nobody_searches" {
  command = plan

  variables {
    annual_gmv = 1e9
    demand     = { search_share = 0 }
  }

  assert {
    condition     = output.tiers.elasticsearch.machines == 0 && output.tiers.elasticsearch.load_percent == null && length(output.machines) == output.total.machines
    error_message = "Without a search there is Elasticsearch: ${jsonencode(output.tiers.elasticsearch)}"
  }
}
