variable "machines" {
  description = <<-EOT
    The machines by name: two servers on different hosts, of which the first by name begins as the primary, and the `witness`.

    - `placement`: where it runs, `hypervisor_placement.shop.assignments["redis-1"]`.
    - `address`: its address with the prefix length, such as `10.0.0.81/24`.
    - `memory`: the same as the placement counted, such as `4GiB`. What Redis may hold follows from it.
    - `vcpus_maximum`: vCPUs that it can be given while it runs, as in the module `machines`.
    - `root`, `data`: disks, as in the module `machines`.
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
    condition     = length([for name in keys(var.machines) : name if name != var.witness]) == 2
    error_message = "machines has two servers, and the witness if it is one of them; there are ${length([for name in keys(var.machines) : name if name != var.witness])}."
  }

  validation {
    condition     = var.witness == null || contains(keys(var.machines), coalesce(var.witness, "none"))
    error_message = "witness is not one of machines."
  }

  validation {
    condition     = var.witness == null || !contains([for name, machine in var.machines : machine.placement.host if name != var.witness], try(var.machines[var.witness].placement.host, ""))
    error_message = "The witness is on the host of a server, and would be lost with it: place it on a third host."
  }

  validation {
    condition     = length(distinct([for name, machine in var.machines : machine.placement.host if name != var.witness])) != 1
    error_message = "Both servers are on the same host, whose loss would take both: give their group spread = \"hosts\" in the placement."
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

variable "secrets_version" {
  description = "Number that says that `password` or `consul_secrets` changed, which Terraform cannot see by itself."
  type        = number
  default     = 1
  nullable    = false
}

variable "name" {
  description = "Name of the pair: its services in Consul are `<name>-writer` and `<name>-reader`, and the sentinels know it by this name."
  type        = string
  default     = "redis"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,54}[a-z0-9])?$", var.name))
    error_message = "name is a part of names in DNS: lower-case letters, digits and hyphens, at most 56 of them, such as \"redis\"."
  }
}

variable "witness" {
  description = "Name of the machine among `machines` that has a sentinel and no server, on a third host."
  type        = string
  default     = null

  validation {
    condition     = var.witness == null || var.witness_address == null
    error_message = "The witness is a machine of this module (witness) or one that you run (witness_address), not both."
  }
}

variable "witness_address" {
  description = "Instead of `witness`: address of a machine outside with a sentinel of yours. Its configuration is the output `files` of any of the machines with its own address, `sha1()` of that as `sentinel myid`, and 4 in place of 2 in `sentinel monitor`: it votes and does not begin."
  type        = string
  default     = null

  validation {
    condition     = var.witness_address == null || can(cidrhost("${var.witness_address}/32", 0))
    error_message = "witness_address is an address without a prefix length, such as \"10.0.0.13\"."
  }
}

variable "auto_failover" {
  description = "Whether the other server takes over when the primary is lost. Otherwise only when somebody says so (`redis-cli -p 26379 SENTINEL FAILOVER <name>`), and a primary takes writes without a replica."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = !var.auto_failover || var.witness != null || var.witness_address != null
    error_message = "Two sentinels cannot outvote each other when one is lost, so auto_failover needs a third: name it by witness, a machine of this module, or by witness_address, a machine that you run. Or set auto_failover = false."
  }
}

variable "password" {
  description = "Password of the servers. It is stored neither in the state nor in the plan."
  type        = string
  nullable    = false
  ephemeral   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9_.:/+=-]{16,}$", var.password))
    error_message = "password has at least 16 letters, digits and the signs _ . : / + = - only: Redis answers many guesses a second."
  }
}

variable "down_after" {
  description = "How long the primary does not answer before a sentinel takes it for lost."
  type        = string
  default     = "2s"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", var.down_after))
    error_message = "down_after is a duration such as \"2s\"."
  }
}

variable "failover_timeout" {
  description = "How long a failover may take before another sentinel tries."
  type        = string
  default     = "5s"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", var.failover_timeout))
    error_message = "failover_timeout is a duration such as \"5s\"."
  }
}

variable "max_lag" {
  description = "How long ago the replica may have answered last for the primary to take writes, in whole seconds. What was written since may be lost with the primary's machine: Redis copies after it has acknowledged."
  type        = string
  default     = "3s"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", var.max_lag))
    error_message = "max_lag is a duration such as \"3s\"."
  }
}

variable "check_interval" {
  description = "How often Consul's agent asks a server for its role."
  type        = string
  default     = "1s"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", var.check_interval))
    error_message = "check_interval is a duration such as \"1s\"."
  }
}

variable "memory_percent" {
  description = "Share of a machine's memory that data may take, in percent. The rest is for the system, buffers, and what changes while Redis saves."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.memory_percent >= 1 && var.memory_percent <= 90
    error_message = "memory_percent is from 1 to 90."
  }
}

variable "eviction" {
  description = "What happens when the memory is full: `noeviction` refuses writes, as sessions and queues need it; `allkeys-lru` and the other policies of Redis drop keys, as a cache does."
  type        = string
  default     = "noeviction"
  nullable    = false

  validation {
    condition     = contains(["noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"], var.eviction)
    error_message = "eviction is a maxmemory-policy of Redis, such as \"noeviction\" or \"allkeys-lru\"."
  }
}

variable "files" {
  description = "Further files, content by path."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for path in keys(var.files) : startswith(path, "/")])
    error_message = "A path in files begins with a slash."
  }
}

variable "commands" {
  description = "Commands that each machine runs at its first boot, before Redis starts, each as the list of its words."
  type        = list(list(string))
  default     = []
  nullable    = false
}

variable "wait_for" {
  description = "TCP `port` that each machine accepts connections at before it counts as created."
  type        = object({ port = number })
  default     = null
}

variable "drain" {
  description = "Services that the provider takes out of Consul before it disturbs a machine, as `drain` of `hypervisor_vm`. The services follow the servers' roles by themselves, and a primary hands over before it stops."
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

variable "stopped" {
  description = "Names of machines that are shut down, as long as they are named here: before planned work on their host."
  type        = set(string)
  default     = []
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
