variable "machines" {
  description = <<-EOT
    The machines by name, `(1 + replicas)` for each master. Which of them begin as masters follows from the hosts that they are placed on.

    - `placement`: where it runs, `hypervisor_placement.shop.assignments["redis-1"]`.
    - `address`: its address with the prefix length, such as `10.0.0.71/24`.
    - `memory`: the same as the placement counted, such as `8GiB`. What Redis may use of it follows.
    - `vcpus_maximum`: vCPUs that it can be given while it runs, as in the module `machines`.
    - `root`: size of the system's disk.
    - `data`: further disks, as in the module `machines`. One called `redis` gets a file system and holds Redis' data.
  EOT
  type = map(object({
    placement = object({
      host      = string
      pins      = list(string)
      emulator  = optional(string)
      memory    = optional(string)
      nodes     = optional(list(number))
      page_size = optional(string)
    })
    address       = string
    memory        = string
    vcpus_maximum = optional(number)
    root          = optional(string, "10GiB")
    data          = optional(map(string), {})
  }))
  nullable = false

  validation {
    condition     = length(var.machines) % (1 + var.replicas) == 0 && length(var.machines) >= 3 * (1 + var.replicas)
    error_message = "machines are ${1 + var.replicas} for each master (1 + replicas), and of fewer than three masters none would be a majority: ${3 * (1 + var.replicas)}, ${4 * (1 + var.replicas)}, ${5 * (1 + var.replicas)} ... of them. There are ${length(var.machines)}."
  }
}

variable "failure_domains" {
  description = "What fails together, by host: a rack, a power feed. Masters and replicas are kept apart by it. Defaults to each host by itself."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "replicas" {
  description = "Replicas of each master, in other failure domains than its own."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = contains([1, 2, 3], var.replicas)
    error_message = "replicas is 1, 2 or 3: without one the loss of a master loses its keys."
  }
}

variable "image" {
  description = "What the machines are made of, as the module `image` gives it: the image's volume on each host, and its `kind`."
  type = object({
    volumes = map(string)
    kind    = optional(string, "disk")
  })
  nullable = false
}

variable "network" {
  description = "The network that all machines are on: the hosts' `bridge`, the default `gateway`, and `nameservers`."
  type = object({
    bridge      = string
    gateway     = optional(string)
    nameservers = optional(list(string), [])
  })
  nullable = false
}

variable "consul" {
  description = "Configuration of the machines' Consul agent, `module.consul.agent`: content of each file by path."
  type        = object({ files = map(string) })
  nullable    = false
}

variable "consul_secrets" {
  description = "The agent's files that hold secrets, content by path. They are stored neither in the state nor in the plan."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true
}

variable "password" {
  description = "Password of the cluster, for clients and among its members. It is stored neither in the state nor in the plan."
  type        = string
  nullable    = false
  ephemeral   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9._~+/=-]{16,128}$", var.password))
    error_message = "password has 16 to 128 letters, digits and the signs . _ ~ + / = - only: Redis tries thousands a second."
  }
}

variable "secrets_version" {
  description = "Number that says that `password` or `consul_secrets` changed, which Terraform cannot see by itself."
  type        = number
  default     = 1
  nullable    = false
}

variable "service" {
  description = "Name of the service in Consul. A client asks any member and is led to the others."
  type        = string
  default     = "redis"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.service))
    error_message = "service is a name in DNS: lower-case letters, digits and hyphens, at most 63 of them, such as \"redis\"."
  }
}

variable "port" {
  description = "TCP port of Redis. The cluster's own bus has the port that is higher by 10,000."
  type        = number
  default     = 6379
  nullable    = false

  validation {
    condition     = var.port >= 1 && var.port <= 55535 && floor(var.port) == var.port
    error_message = "port is from 1 to 55535, since the cluster's bus has the port that is higher by 10,000."
  }
}

variable "node_timeout" {
  description = "How long a member does not answer until the others take it for failed. A replica has taken over about a second later."
  type        = string
  default     = "5s"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+(ms|s)$", var.node_timeout)) && try(tonumber(trimsuffix(var.node_timeout, "ms")) >= 500, tonumber(trimsuffix(var.node_timeout, "s")) >= 1) && try(tonumber(trimsuffix(var.node_timeout, "ms")) <= 60000, tonumber(trimsuffix(var.node_timeout, "s")) <= 60)
    error_message = "node_timeout is a duration from \"500ms\" to \"60s\"; below a second a busy machine is taken for a dead one."
  }
}

variable "memory_percent" {
  description = "Share of a machine's memory that Redis' data may have. The rest is for the system and for the copies that it makes as it writes to disk."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.memory_percent >= 10 && var.memory_percent <= 80
    error_message = "memory_percent is from 10 to 80: a copy on write of all data may need as much again."
  }
}

variable "eviction" {
  description = "What happens when the memory is full, `maxmemory-policy` of Redis: `noeviction` refuses writes, `allkeys-lru` forgets what was not used for long, as a cache may."
  type        = string
  default     = "noeviction"
  nullable    = false

  validation {
    condition     = contains(["noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"], var.eviction)
    error_message = "eviction is a maxmemory-policy of Redis, such as \"noeviction\" or \"allkeys-lru\"."
  }
}

variable "drain" {
  description = "Services that the provider takes out of Consul before it disturbs a machine, as `drain` of `hypervisor_vm`."
  type = object({
    services = set(string)
    wait     = optional(string)
  })
  default = null
}

variable "allow_change" {
  description = "The most that a plan may disturb a running machine: `none`, `live`, `reboot` or `replace`."
  type        = string
  default     = "live"
  nullable    = false
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

variable "timeouts" {
  description = "How long creating, changing and deleting a machine may take, as `timeouts` of `hypervisor_vm`."
  type = object({
    create = optional(string)
    update = optional(string)
    delete = optional(string)
  })
  default = null
}
