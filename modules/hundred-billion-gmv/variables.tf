variable "tiers" {
  description = "How many machines of which size, `module.sizing.tiers`: for `gateway`, `web`, `mysql`, `redis`, `elasticsearch` and `consul` the number of `machines`, and the `vcpus` and `memory_gib` of one. `elasticsearch` may have none."
  type = object({
    gateway       = object({ machines = number, vcpus = number, memory_gib = number })
    web           = object({ machines = number, vcpus = number, memory_gib = number })
    mysql         = object({ machines = number, vcpus = number, memory_gib = number })
    redis         = object({ machines = number, vcpus = number, memory_gib = number })
    elasticsearch = object({ machines = number, vcpus = number, memory_gib = number })
    consul        = object({ machines = number, vcpus = number, memory_gib = number })
  })
  nullable = false

  validation {
    condition     = alltrue([for name, tier in var.tiers : (tier.machines >= 1 || (name == "elasticsearch" && tier.machines == 0)) && tier.vcpus >= 1 && tier.memory_gib > 0 && floor(tier.machines) == tier.machines && floor(tier.vcpus) == tier.vcpus])
    error_message = "Each of tiers has whole numbers of machines and vcpus, at least 1, and memory_gib above 0. A platform that searches elsewhere has 0 machines of elasticsearch."
  }

  validation {
    condition     = var.tiers.consul.machines == 3 && var.tiers.gateway.machines >= 2 && var.tiers.mysql.machines % 2 == 0
    error_message = "tiers has three machines of consul, at least two of gateway, and an even number of mysql, since its machines are pairs."
  }
}

variable "web_machines" {
  description = "How many web machines there are today. This is the number to raise before a sale and to lower after it. Defaults to `tiers.web.machines`, those of the sale itself."
  type        = number
  default     = null

  validation {
    condition     = var.web_machines == null || try(var.web_machines >= 2 && floor(var.web_machines) == var.web_machines, false)
    error_message = "web_machines is a whole number of at least 2."
  }
}

variable "sizes" {
  description = "Machines that have another size for now, by name, such as `{ gateway-2 = { vcpus = 8, memory = \"16GiB\" } }`: a tier of two grows one machine after the other."
  type        = map(object({ vcpus = number, memory = string }))
  default     = {}
  nullable    = false
}

variable "hosts" {
  description = "The hosts by their names in the provider's block, in the shape of the `facts` of `data.hypervisor_host`, or written by hand for hardware that is not bought yet."
  type = map(object({
    nodes = list(object({ id = optional(number), memory = string, cores = list(string), pages = optional(map(number)) }))
    pins  = optional(map(object({ vcpus = optional(string), emulator = optional(string) })))
  }))
  nullable = false
}

variable "host_options" {
  description = "What you decide about a host, as `host_options` of `hypervisor_placement`."
  type        = map(object({ maintenance = optional(bool), reserved_cpus = optional(string), reserved_memory = optional(string) }))
  default     = {}
  nullable    = false
}

variable "failure_domains" {
  description = "What fails together, by host: a rack, a power feed. Defaults to each host by itself."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.failure_domains), keys(var.hosts))) == 0
    error_message = "failure_domains names a host that is not in hosts: ${join(", ", setsubtract(keys(var.failure_domains), keys(var.hosts)))}."
  }

  validation {
    condition     = length(distinct([for host in keys(var.hosts) : lookup(var.failure_domains, host, host)])) >= 3
    error_message = "Consul, Redis and Elasticsearch vote, so the hosts are in at least three failure domains. The third may be a small witness: name it in witnesses."
  }
}

variable "witnesses" {
  description = "Hosts that have votes only: machines of Consul, Redis and Elasticsearch, and no gateways, web machines and MySQL."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.witnesses, keys(var.hosts))) == 0
    error_message = "witnesses names a host that is not in hosts: ${join(", ", setsubtract(var.witnesses, keys(var.hosts)))}."
  }
}

variable "network" {
  description = <<-EOT
    The network that all machines are on.

    - `bridge`: that of the hosts.
    - `cidr`: the network, such as `10.0.0.0/22`.
    - `gateway`, `nameservers`: the default gateway and the name servers of the machines.
    - `first`: by tier, the number in `cidr` of its first machine's address; the others follow it. As they are, they leave room up to a yearly GMV of a hundred billion. Smaller ones fit a small network, such as that of a staging platform; changed ones make the tier's machines anew.
  EOT
  type = object({
    bridge      = string
    cidr        = string
    gateway     = optional(string)
    nameservers = optional(list(string), [])
    first = optional(object({
      gateway       = optional(number, 6)
      consul        = optional(number, 31)
      mysql         = optional(number, 41)
      redis         = optional(number, 201)
      elasticsearch = optional(number, 321)
      web           = optional(number, 401)
    }), {})
  })
  nullable = false

  validation {
    condition = alltrue([
      for tier, first in var.network.first : first >= 1 && can(cidrhost(var.network.cidr, first + merge(var.tiers, { web = { machines = coalesce(var.web_machines, var.tiers.web.machines) } })[tier].machines - 1))
      if var.tiers[tier].machines > 0
    ])
    error_message = "network.cidr is in CIDR notation, with room for the first and the last machine of each tier. The web machines alone take the addresses ${var.network.first.web} to ${var.network.first.web + coalesce(var.web_machines, var.tiers.web.machines) - 1} of the network: give it a larger cidr, such as \"10.0.0.0/22\", or other numbers by network.first."
  }
}

variable "address" {
  description = "The virtual address of the gateways with its prefix length, which clients know, such as `10.0.0.4/22`."
  type        = string
  nullable    = false
}

variable "image" {
  description = "What the machines are made of, as the module `image` gives it: the image's volume on each host, and its `kind`."
  type = object({
    volumes = map(string)
    kind    = optional(string, "disk")
  })
  nullable = false
}

variable "datacenter" {
  description = "Name of Consul's datacenter."
  type        = string
  default     = "dc1"
  nullable    = false
}

variable "gateway" {
  description = "The gateways' `engine` and `https`, as in the module `gateway-pair`, and `vcpus_maximum`, up to which a gateway grows while it runs."
  type = object({
    engine        = optional(string, "traefik")
    vcpus_maximum = optional(number, 8)
    https = optional(object({
      enabled      = optional(bool, true)
      redirect     = optional(bool, true)
      certificates = optional(list(string), [])
    }), {})
  })
  default  = {}
  nullable = false
}

variable "web" {
  description = "What the web machines serve, as in the module `web-tier`."
  type = object({
    port        = optional(number, 80)
    health_path = optional(string, "/health")
    drain_time  = optional(string, "10s")
    packages    = optional(list(string), [])
    files       = optional(map(string), {})
    commands    = optional(list(list(string)), [])
    apache = optional(object({
      php             = optional(bool, true)
      reserved_memory = optional(string, "512MiB")
      worker_memory   = optional(string)
      timeout         = optional(string, "30s")
    }), {})
  })
  default  = {}
  nullable = false
}

variable "databases" {
  description = "The databases, and the number of the MySQL pair that each is on, such as `{ orders = 1, goods = 2 }`. The first start of a pair makes its own."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for pair in values(var.databases) : pair >= 1 && pair <= var.tiers.mysql.machines / 2 && floor(pair) == pair])
    error_message = "Each of databases is on one of the pairs 1 to ${floor(var.tiers.mysql.machines / 2)}."
  }
}

variable "database_users" {
  description = "Accounts of MySQL by name, as `users` of the module `mysql-pair`; each is made on the pair that has its database. Their passwords are in `secrets`."
  type = map(object({
    database   = string
    privileges = optional(list(string), ["ALL PRIVILEGES"])
    from       = optional(string, "%")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for user in values(var.database_users) : contains(keys(var.databases), user.database)])
    error_message = "The database of each of database_users is one of databases."
  }
}

variable "redis_replicas" {
  description = "Replicas of each Redis master, as `redis.replicas` of the module `sizing`."
  type        = number
  default     = 1
  nullable    = false
}

variable "elasticsearch" {
  description = "Where Elasticsearch comes from and whether it uses TLS and passwords, as in the module `elasticsearch`."
  type = object({
    security     = optional(bool, true)
    packages     = optional(list(string), ["elasticsearch"])
    repositories = optional(map(object({ source = string, key = string })), {})
  })
  default  = {}
  nullable = false
}

variable "disks" {
  description = "Size of the data disk of each machine of a tier with data."
  type = object({
    mysql         = optional(string, "500GiB")
    redis         = optional(string, "20GiB")
    elasticsearch = optional(string, "500GiB")
  })
  default  = {}
  nullable = false
}

variable "secrets" {
  description = <<-EOT
    Keys, certificates and passwords. They reach the machines and neither the plan nor the state.

    - `consul`: as `secrets` of the module `consul-cluster`, with the tokens `management`, `agent`, `services`, `gateway` and `mysql-pair`.
    - `mysql`: password of the pairs' `replication`, and of their `users` by name.
    - `redis_password`: password of the Redis Cluster.
    - `certificates`: the gateways' certificates by their names in `gateway.https.certificates`.
    - `elasticsearch`: as `certificates` of the module `elasticsearch`, unless its security is off.
  EOT
  type = object({
    consul = object({
      gossip_key         = string
      ca_certificate     = string
      server_certificate = string
      server_key         = string
      tokens             = map(string)
    })
    mysql = object({
      replication = string
      users       = optional(map(string), {})
    })
    redis_password = string
    certificates   = optional(map(object({ certificate = string, key = string })), {})
    elasticsearch  = optional(object({ ca = string, certificate = string, key = string }))
  })
  ephemeral = true
  nullable  = false
}

variable "secrets_version" {
  description = "Number that says that `secrets` changed, which Terraform cannot see by itself."
  type        = number
  default     = 1
  nullable    = false
}

variable "allow_change" {
  description = "By tier, the most that a plan may disturb one of its running machines, such as `{ gateway = \"reboot\" }`. Defaults to `live`."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for tier, class in var.allow_change : contains(["gateway", "web", "mysql", "redis", "elasticsearch", "consul"], tier) && contains(["none", "live", "reboot", "replace"], class)])
    error_message = "allow_change is by tier (gateway, web, mysql, redis, elasticsearch, consul), and each is \"none\", \"live\", \"reboot\" or \"replace\"."
  }
}

variable "pool" {
  description = "Storage pool of the hosts that the disks are in."
  type        = string
  default     = "default"
  nullable    = false
}

variable "domain_type" {
  description = "`kvm`, or `qemu` on hosts without hardware virtualisation. Defaults to what suits the host."
  type        = string
  default     = null
}
