variable "machines" {
  description = <<-EOT
    The two members by name.

    - `placement`: where it runs, `hypervisor_placement.shop.assignments["mysql-1"]`.
    - `address`: its address with the prefix length, such as `10.0.0.61/24`.
    - `memory`: the same as the placement counted, such as `16GiB`.
    - `vcpus_maximum`: vCPUs that it can be given while it runs, as in the module `machines`.
    - `root`, `data`: disks, as in the module `machines`. The data disk `mysql` is added, of `data_size`.
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
    condition     = length(var.machines) == 2
    error_message = "A pair has two members."
  }

  validation {
    condition     = length(distinct([for machine in values(var.machines) : machine.placement.host])) == length(var.machines)
    error_message = "Both members are on host ${join(", ", distinct([for machine in values(var.machines) : machine.placement.host]))}, so its loss would be the loss of both. Place them with spread = \"hosts\"."
  }

  validation {
    condition     = alltrue([for machine in values(var.machines) : can(cidrnetmask(machine.address))])
    error_message = "A member's address is an IPv4 address with its prefix length, such as \"10.0.0.61/24\": the replication's account belongs to that network."
  }
}

variable "name" {
  description = "Name of the pair, under which its members agree in Consul."
  type        = string
  default     = "shop"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]*$", var.name))
    error_message = "name has lower-case letters, digits and hyphens, such as \"shop\"."
  }
}

variable "first" {
  description = "The member that begins as primary when the pair is new. Defaults to the first by name."
  type        = string
  default     = null

  validation {
    condition     = var.first == null || contains(keys(var.machines), coalesce(var.first, "-"))
    error_message = "first is the name of a member."
  }
}

variable "auto_failover" {
  description = "Whether the replica takes over by itself when the primary is lost. Without it you decide, by `mysql-pair switch`."
  type        = bool
  default     = true
  nullable    = false
}

variable "data_size" {
  description = "Size of the data disk of each member. It grows in place. A container has none: what it writes goes with it."
  type        = string
  default     = "20GiB"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+(\\.[0-9]+)?(MiB|GiB|TiB)$", var.data_size))
    error_message = "data_size is a size such as \"50GiB\"."
  }
}

variable "databases" {
  description = "Databases that the first start makes."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.databases : can(regex("^[A-Za-z0-9_]{1,64}$", name)) && !contains(["mysql", "sys", "information_schema", "performance_schema"], name)])
    error_message = "A database's name has letters, digits and underscores, and is none of the server's own."
  }
}

variable "users" {
  description = <<-EOT
    Accounts that the first start makes, by name. Their passwords are in `passwords.users`.

    - `database`: the one that it may use.
    - `privileges`: what it may do there.
    - `from`: addresses that it comes from, as MariaDB writes them.
  EOT
  type = map(object({
    database   = string
    privileges = optional(list(string), ["ALL PRIVILEGES"])
    from       = optional(string, "%")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name, user in var.users : can(regex("^[A-Za-z0-9_]{1,80}$", name)) && !contains(["root", "mysql", "replication"], name)])
    error_message = "A user's name has letters, digits and underscores, and is not root, mysql or replication."
  }

  validation {
    condition     = alltrue([for user in values(var.users) : contains(var.databases, user.database)])
    error_message = "A user's database is one of databases."
  }

  validation {
    condition     = alltrue(flatten([for user in values(var.users) : concat([for privilege in user.privileges : can(regex("^[A-Z ]+$", privilege))], [can(regex("^[0-9a-fA-F.:%/_]+$", user.from))])]))
    error_message = "privileges are such as [\"SELECT\", \"INSERT\"], and from is an address or a pattern such as \"10.0.0.%\"."
  }
}

variable "passwords" {
  description = "Passwords, which reach the machines and neither the plan nor the state: that of `replication`, and `users` by name."
  type = object({
    replication = string
    users       = optional(map(string), {})
  })
  ephemeral = true
  nullable  = false

  validation {
    condition     = join(",", keys(var.passwords.users)) == join(",", keys(var.users))
    error_message = "passwords.users has a password for each of users, and for nobody else."
  }

  validation {
    condition     = alltrue([for password in concat([var.passwords.replication], values(var.passwords.users)) : length(password) >= 8 && !can(regex("[\\r\\n]", password))])
    error_message = "A password has at least 8 characters and no line breaks."
  }
}

variable "tls" {
  description = "Whether the members replicate and copy each other over TLS only, each checked by its certificate; clients may use it, too. Needs `certificates`."
  type        = bool
  default     = false
  nullable    = false
}

variable "certificates" {
  description = "PEM, which reaches the machines and neither the plan nor the state: `ca`, the authority that the members trust, and by member the `certificate` for its address and its `key`."
  type = object({
    ca      = string
    servers = map(object({ certificate = string, key = string }))
  })
  default   = { ca = "", servers = {} }
  ephemeral = true
  nullable  = false

  validation {
    condition     = !var.tls || startswith(var.certificates.ca, "-----BEGIN CERTIFICATE-----") && join(",", keys(var.certificates.servers)) == join(",", keys(var.machines))
    error_message = "tls needs certificates.ca, which begins with -----BEGIN CERTIFICATE-----, and in certificates.servers one for each member."
  }
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

variable "consul_token" {
  description = "Token of the policy `mysql-pair`, which the members' agents show to Consul."
  type        = string
  default     = ""
  nullable    = false
  ephemeral   = true
}

variable "secrets_version" {
  description = "Number that says that `passwords`, `consul_secrets` or `consul_token` changed, which Terraform cannot see by itself."
  type        = number
  default     = 1
  nullable    = false
}
