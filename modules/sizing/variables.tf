variable "annual_gmv" {
  description = "Gross merchandise value to carry, in yuan per year. Ten billion is `10e9`."
  type        = number

  validation {
    condition     = var.annual_gmv >= 1e6 && var.annual_gmv <= 1e13
    error_message = "annual_gmv is in yuan per year, from a million (1e6) to ten trillion (1e13)."
  }
}

variable "demand" {
  description = <<-EOT
    How a year's turnover becomes requests. Replace these by your own figures first: everything follows from them.

    - `order_value`: yuan per order. Source: the reference shop.
    - `peak_day_factor`: orders of the sale's day over those of the mean day. Source: the reference shop's sale.
    - `peak_minute_factor`: orders of the sale's busiest minute over that day's mean minute. Source: the reference shop's sale.
    - `ordinary_day_factor`: the same as `peak_day_factor` for the busiest day without a sale. Source: derived from the 34 web machines of an ordinary day in the reference layout at ten billion.
    - `requests_per_order`: requests at the gateway for each order, browsing included. Source: the reference shop.
    - `queries_per_request`: look-ups of data behind one request. Assumption.
    - `cache_hit_ratio`: share of the look-ups that Redis answers, from 0 to 1. Assumption.
    - `database_writes_per_order`: rows written for each order, from the cart to the payment. Assumption.
    - `search_share`: share of the requests that search, from 0 to 1. With 0 there is no Elasticsearch. Assumption.
  EOT
  type = object({
    order_value               = optional(number, 200)
    peak_day_factor           = optional(number, 20)
    peak_minute_factor        = optional(number, 10)
    ordinary_day_factor       = optional(number, 3.2)
    requests_per_order        = optional(number, 50)
    queries_per_request       = optional(number, 10)
    cache_hit_ratio           = optional(number, 0.9)
    database_writes_per_order = optional(number, 20)
    search_share              = optional(number, 0.1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for key in ["order_value", "requests_per_order", "queries_per_request", "database_writes_per_order"] : var.demand[key] > 0])
    error_message = "order_value, requests_per_order, queries_per_request and database_writes_per_order are above 0."
  }

  validation {
    condition     = var.demand.peak_day_factor >= var.demand.ordinary_day_factor && var.demand.ordinary_day_factor >= 1 && var.demand.peak_minute_factor >= 1
    error_message = "Peak factors are 1 or more, and peak_day_factor is at least ordinary_day_factor."
  }

  validation {
    condition     = alltrue([for key in ["cache_hit_ratio", "search_share"] : var.demand[key] >= 0 && var.demand[key] <= 1])
    error_message = "cache_hit_ratio and search_share are shares from 0 to 1, such as 0.9 for 90 %."
  }
}

variable "gateway" {
  description = <<-EOT
    The entrance. One machine holds the virtual IP and carries the whole traffic, another stands by; only above the largest size there are more of them.

    - `requests_per_core`: requests per second that use up one core. Source: at a yearly GMV of one billion yuan the reference shop's 2-core gateway peaks at 20 % CPU.
    - `sizes`: vCPUs that a gateway machine may have, the smallest that suffices is taken.
    - `memory_per_vcpu`: such as `2GiB`.
    - `max_load_percent`: CPU load at the peak that is not exceeded.
    - `standby`: machines beyond those that carry traffic.
  EOT
  type = object({
    requests_per_core = optional(number, 4000)
    sizes             = optional(list(number), [2, 4, 8])
    memory_per_vcpu   = optional(string, "2GiB")
    max_load_percent  = optional(number, 60)
    standby           = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = length(var.gateway.sizes) > 0 && alltrue([for size in var.gateway.sizes : size >= 1 && floor(size) == size])
    error_message = "gateway.sizes are whole numbers of vCPUs, at least one of them, such as [2, 4, 8]."
  }

  validation {
    condition     = can(regex("^[0-9]+(\\.[0-9]+)?(MiB|GiB|TiB)$", var.gateway.memory_per_vcpu))
    error_message = "gateway.memory_per_vcpu is a size such as \"2GiB\"."
  }

  validation {
    condition     = var.gateway.requests_per_core > 0 && var.gateway.max_load_percent > 0 && var.gateway.max_load_percent <= 100
    error_message = "gateway.requests_per_core is above 0, and gateway.max_load_percent is above 0 and at most 100."
  }

  validation {
    condition     = var.gateway.standby >= 1 && floor(var.gateway.standby) == var.gateway.standby
    error_message = "gateway.standby is a whole number of machines and at least 1: a lone gateway is a single point of failure."
  }
}

variable "web" {
  description = <<-EOT
    The machines that run the shop (Apache and PHP).

    - `vcpus`, `memory`: size of one machine.
    - `requests_per_machine`: requests per second that use one machine up. Source: a server of 64 threads, split into 32 machines behind a balancer, went from 1,000 to 5,000 requests per second.
    - `max_load_percent`: load at the peak that is not exceeded.
    - `minimum`: machines below which the tier does not go.
  EOT
  type = object({
    vcpus                = optional(number, 2)
    memory               = optional(string, "4GiB")
    requests_per_machine = optional(number, 150)
    max_load_percent     = optional(number, 50)
    minimum              = optional(number, 2)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.web.vcpus >= 1 && floor(var.web.vcpus) == var.web.vcpus && can(regex("^[0-9]+(\\.[0-9]+)?(MiB|GiB|TiB)$", var.web.memory))
    error_message = "web.vcpus is a whole number of at least 1, and web.memory a size such as \"4GiB\"."
  }

  validation {
    condition     = var.web.requests_per_machine > 0 && var.web.max_load_percent > 0 && var.web.max_load_percent <= 100
    error_message = "web.requests_per_machine is above 0, and web.max_load_percent is above 0 and at most 100."
  }

  validation {
    condition     = var.web.minimum >= 2 && floor(var.web.minimum) == var.web.minimum
    error_message = "web.minimum is a whole number of machines and at least 2: a lone machine is a single point of failure."
  }
}

variable "mysql" {
  description = <<-EOT
    MySQL pairs, each a primary and a replica. The databases are divided among the pairs.

    - `vcpus`, `memory`: size of one machine.
    - `writes_per_primary`: rows per second that one primary writes with semi-synchronous replication. Assumption.
    - `reads_per_machine`: queries per second that one machine answers. Assumption.
    - `minimum`: pairs below which the tier does not go.
  EOT
  type = object({
    vcpus              = optional(number, 8)
    memory             = optional(string, "32GiB")
    writes_per_primary = optional(number, 2000)
    reads_per_machine  = optional(number, 8000)
    minimum            = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.mysql.vcpus >= 1 && floor(var.mysql.vcpus) == var.mysql.vcpus && can(regex("^[0-9]+(\\.[0-9]+)?(MiB|GiB|TiB)$", var.mysql.memory))
    error_message = "mysql.vcpus is a whole number of at least 1, and mysql.memory a size such as \"32GiB\"."
  }

  validation {
    condition     = var.mysql.writes_per_primary > 0 && var.mysql.reads_per_machine > 0
    error_message = "mysql.writes_per_primary and mysql.reads_per_machine are above 0."
  }

  validation {
    condition     = var.mysql.minimum >= 1 && floor(var.mysql.minimum) == var.mysql.minimum
    error_message = "mysql.minimum is a whole number of pairs and at least 1."
  }
}

variable "redis" {
  description = <<-EOT
    Redis Cluster: masters with a replica each.

    - `vcpus`, `memory`: size of one machine.
    - `operations_per_master`: operations per second that use up one master (it has one thread). Assumption.
    - `max_load_percent`: load at the peak that is not exceeded.
    - `replicas`: replicas of each master.
  EOT
  type = object({
    vcpus                 = optional(number, 2)
    memory                = optional(string, "8GiB")
    operations_per_master = optional(number, 100000)
    max_load_percent      = optional(number, 50)
    replicas              = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.redis.vcpus >= 1 && floor(var.redis.vcpus) == var.redis.vcpus && can(regex("^[0-9]+(\\.[0-9]+)?(MiB|GiB|TiB)$", var.redis.memory))
    error_message = "redis.vcpus is a whole number of at least 1, and redis.memory a size such as \"8GiB\"."
  }

  validation {
    condition     = var.redis.operations_per_master > 0 && var.redis.max_load_percent > 0 && var.redis.max_load_percent <= 100
    error_message = "redis.operations_per_master is above 0, and redis.max_load_percent is above 0 and at most 100."
  }

  validation {
    condition     = var.redis.replicas >= 1 && floor(var.redis.replicas) == var.redis.replicas
    error_message = "redis.replicas is a whole number and at least 1: without a replica the loss of a master loses its keys."
  }
}

variable "elasticsearch" {
  description = <<-EOT
    Elasticsearch nodes.

    - `vcpus`, `memory`: size of one machine.
    - `searches_per_machine`: searches per second that use one machine up. Assumption.
    - `max_load_percent`: load at the peak that is not exceeded.
  EOT
  type = object({
    vcpus                = optional(number, 4)
    memory               = optional(string, "16GiB")
    searches_per_machine = optional(number, 800)
    max_load_percent     = optional(number, 50)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.elasticsearch.vcpus >= 1 && floor(var.elasticsearch.vcpus) == var.elasticsearch.vcpus && can(regex("^[0-9]+(\\.[0-9]+)?(MiB|GiB|TiB)$", var.elasticsearch.memory))
    error_message = "elasticsearch.vcpus is a whole number of at least 1, and elasticsearch.memory a size such as \"16GiB\"."
  }

  validation {
    condition     = var.elasticsearch.searches_per_machine > 0 && var.elasticsearch.max_load_percent > 0 && var.elasticsearch.max_load_percent <= 100
    error_message = "elasticsearch.searches_per_machine is above 0, and elasticsearch.max_load_percent is above 0 and at most 100."
  }
}

variable "consul" {
  description = "Consul's servers: always three, so that the loss of one leaves a majority. `vcpus` and `memory` are the size of one."
  type = object({
    vcpus  = optional(number, 2)
    memory = optional(string, "4GiB")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.consul.vcpus >= 1 && floor(var.consul.vcpus) == var.consul.vcpus && can(regex("^[0-9]+(\\.[0-9]+)?(MiB|GiB|TiB)$", var.consul.memory))
    error_message = "consul.vcpus is a whole number of at least 1, and consul.memory a size such as \"4GiB\"."
  }
}

variable "host" {
  description = <<-EOT
    One physical server. All of them are taken to be alike.

    - `cpus`: hardware threads.
    - `reserved_cpus`: those that machines do not get. `hypervisor_placement` keeps the first core of each NUMA node: four threads on two nodes.
    - `memory`: such as `256GiB`.
    - `reserved_memory`: what the host keeps for itself, as in `hypervisor_placement`.
    - `spare`: hosts that may be lost with all machines still having a place.
  EOT
  type = object({
    cpus            = optional(number, 64)
    reserved_cpus   = optional(number, 4)
    memory          = optional(string, "256GiB")
    reserved_memory = optional(string, "2GiB")
    spare           = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.host.reserved_cpus >= 0 && var.host.cpus > var.host.reserved_cpus && floor(var.host.cpus) == var.host.cpus && floor(var.host.reserved_cpus) == var.host.reserved_cpus
    error_message = "host.cpus and host.reserved_cpus are whole numbers of hardware threads, and host.cpus is the greater."
  }

  validation {
    condition     = alltrue([for size in [var.host.memory, var.host.reserved_memory] : can(regex("^[0-9]+(\\.[0-9]+)?(MiB|GiB|TiB)$", size))])
    error_message = "host.memory and host.reserved_memory are sizes such as \"256GiB\"."
  }

  validation {
    condition     = var.host.spare >= 0 && floor(var.host.spare) == var.host.spare
    error_message = "host.spare is a whole number of hosts, 0 or more."
  }
}
