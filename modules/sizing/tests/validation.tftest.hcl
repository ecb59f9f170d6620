# One run for each validation.

variables {
  annual_gmv = 1e9
}

run "annual_gmv_in_billions" {
  command = plan

  variables {
    annual_gmv = 10
  }

  expect_failures = [var.annual_gmv]
}

run "order_value_of_nothing" {
  command = plan

  variables {
    demand = { order_value = 0 }
  }

  expect_failures = [var.demand]
}

run "peak_below_ordinary" {
  command = plan

  variables {
    demand = { peak_day_factor = 2 }
  }

  expect_failures = [var.demand]
}

run "cache_hit_ratio_in_percent" {
  command = plan

  variables {
    demand = { cache_hit_ratio = 90 }
  }

  expect_failures = [var.demand]
}

run "gateway_sizes_empty" {
  command = plan

  variables {
    gateway = { sizes = [] }
  }

  expect_failures = [var.gateway]
}

run "gateway_memory_without_unit" {
  command = plan

  variables {
    gateway = { memory_per_vcpu = "2" }
  }

  expect_failures = [var.gateway]
}

run "gateway_load_above_all" {
  command = plan

  variables {
    gateway = { max_load_percent = 101 }
  }

  expect_failures = [var.gateway]
}

run "gateway_alone" {
  command = plan

  variables {
    gateway = { standby = 0 }
  }

  expect_failures = [var.gateway]
}

run "web_memory_without_unit" {
  command = plan

  variables {
    web = { memory = "4G" }
  }

  expect_failures = [var.web]
}

run "web_load_of_nothing" {
  command = plan

  variables {
    web = { max_load_percent = 0 }
  }

  expect_failures = [var.web]
}

run "web_alone" {
  command = plan

  variables {
    web = { minimum = 1 }
  }

  expect_failures = [var.web]
}

run "mysql_half_a_vcpu" {
  command = plan

  variables {
    mysql = { vcpus = 0.5 }
  }

  expect_failures = [var.mysql]
}

run "mysql_without_writes" {
  command = plan

  variables {
    mysql = { writes_per_primary = 0 }
  }

  expect_failures = [var.mysql]
}

run "mysql_without_a_pair" {
  command = plan

  variables {
    mysql = { minimum = 0 }
  }

  expect_failures = [var.mysql]
}

run "redis_memory_of_words" {
  command = plan

  variables {
    redis = { memory = "much" }
  }

  expect_failures = [var.redis]
}

run "redis_without_operations" {
  command = plan

  variables {
    redis = { operations_per_master = 0 }
  }

  expect_failures = [var.redis]
}

run "redis_without_replicas" {
  command = plan

  variables {
    redis = { replicas = 0 }
  }

  expect_failures = [var.redis]
}

run "elasticsearch_without_vcpus" {
  command = plan

  variables {
    elasticsearch = { vcpus = 0 }
  }

  expect_failures = [var.elasticsearch]
}

run "elasticsearch_overloaded" {
  command = plan

  variables {
    elasticsearch = { max_load_percent = 200 }
  }

  expect_failures = [var.elasticsearch]
}

run "consul_memory_without_unit" {
  command = plan

  variables {
    consul = { memory = "4096" }
  }

  expect_failures = [var.consul]
}

run "host_all_reserved" {
  command = plan

  variables {
    host = { cpus = 4, reserved_cpus = 4 }
  }

  expect_failures = [var.host]
}

run "host_memory_without_unit" {
  command = plan

  variables {
    host = { memory = "256" }
  }

  expect_failures = [var.host]
}

run "host_spare_negative" {
  command = plan

  variables {
    host = { spare = -1 }
  }

  expect_failures = [var.host]
}
