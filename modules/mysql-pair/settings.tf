# What has a default that suits most.

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

variable "services" {
  description = "Names in Consul: of the server that takes writes, and of those that answer reads."
  type = object({
    writer = optional(string, "mysql-writer")
    reader = optional(string, "mysql-reader")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in values(var.services) : startswith(name, "mysql-") && can(regex("^[a-z0-9-]{1,63}$", name))]) && var.services.writer != var.services.reader
    error_message = "services.writer and services.reader differ and begin with \"mysql-\", since that is what the policy mysql-pair allows."
  }
}

variable "timers" {
  description = <<-EOT
    Times of the members' agents; the guide *A pair of MySQL servers* says what each does.

    - `lost_after`: how long commits wait for a replica that is away.
    - `blind_after`: how long a primary goes on without Consul. The election of a leader takes seconds.
    - `session_ttl`: how long Consul waits for an agent on a machine that seems well.
    - `lock_delay`: time between the loss of a primary and its successor.
  EOT
  type = object({
    lost_after  = optional(string, "3s")
    blind_after = optional(string, "10s")
    session_ttl = optional(string, "10s")
    lock_delay  = optional(string, "1s")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for duration in values(var.timers) : can(regex("^[1-9][0-9]*(ms|s|m)$", duration))])
    error_message = "Timers are durations above zero such as \"500ms\" and \"3s\"."
  }

  validation {
    condition     = can(regex("^([1-9][0-9]+s|[0-9]+m)$", var.timers.session_ttl))
    error_message = "timers.session_ttl is at least \"10s\": Consul allows no less."
  }
}

variable "detection" {
  description = "Seconds until Consul knows that a machine is lost, `module.consul.detection`: for `rto_estimate` only."
  type        = object({ typical = number, longest = number })
  default     = { typical = 2.5, longest = 10 }
  nullable    = false
}

variable "dns_ttl" {
  description = "How long clients use an answer of Consul's DNS for the two services, as the module `consul-cluster` sets it: for `rto_estimate` only."
  type        = string
  default     = "1s"
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]*(s|m)$", var.dns_ttl))
    error_message = "dns_ttl is a duration such as \"1s\"."
  }
}

variable "buffer_pool_percent" {
  description = "Share of the machine's memory that InnoDB keeps data in."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.buffer_pool_percent >= 1 && var.buffer_pool_percent <= 80
    error_message = "buffer_pool_percent is from 1 to 80: connections and the system need the rest."
  }
}

variable "settings" {
  description = "Further settings of the server, such as `{ max_connections = \"500\" }`. Those that the pair depends on are its own."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([for name in keys(var.settings) : can(regex("^[a-z0-9_]+$", name)) && !contains([
      "datadir", "bind_address", "server_id", "read_only", "log_bin", "relay_log", "log_slave_updates", "sync_binlog", "innodb_flush_log_at_trx_commit",
    "gtid_strict_mode", "gtid_domain_id", "init_rpl_role", "slave_net_timeout"], name) && !startswith(name, "rpl_semi_sync")])
    error_message = "settings has MariaDB's names with underscores, and none of those that a pair depends on."
  }
}

variable "wait_for" {
  description = "TCP `port` that each member accepts connections at before it counts as created. Null waits for nothing."
  type        = object({ port = number })
  default     = { port = 3306 }
}

variable "drain" {
  description = "Services in Consul that leave DNS before a member is disturbed, as in the module `machines`. Before planned work on the primary, `mysql-pair switch` makes the other one the primary."
  type = object({
    services = set(string)
    wait     = optional(string)
  })
  default = null
}

variable "allow_change" {
  description = "The most that a plan may disturb a running member: `none`, `live`, `reboot` or `replace`."
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

variable "protect_data" {
  description = "Whether a plan that would delete or replace a data disk is refused once something was written to it."
  type        = bool
  default     = true
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
