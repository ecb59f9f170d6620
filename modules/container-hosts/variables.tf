variable "machines" {
  description = <<-EOT
    The machines by name.

    - `placement`: where it runs, `hypervisor_placement.shop.assignments["web-1"]`.
    - `address`: its address with the prefix length, such as `10.0.0.81/24`.
    - `memory`: the same as the placement counted, such as `16GiB`.
    - `vcpus_maximum`: vCPUs that it can be given while it runs, as in the module `machines`.
    - `root`: size of the system's disk.
    - `data`: further disks, as in the module `machines`. One called `docker` gets a file system and holds images and containers.
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
    root          = optional(string, "20GiB")
    data          = optional(map(string), {})
  }))
  nullable = false

  validation {
    condition     = length(var.machines) > 0
    error_message = "machines has at least one machine."
  }
}

variable "managers" {
  description = "Names of the machines that are to be managers of a swarm; the others are its workers. None for machines that are not to form one."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.managers, keys(var.machines))) == 0
    error_message = "managers names what is not in machines: ${join(", ", setsubtract(var.managers, keys(var.machines)))}."
  }

  validation {
    condition     = contains([0, 1, 3, 5, 7], length(var.managers))
    error_message = "managers are none, 1, 3, 5 or 7: they vote, and an even number outlives no more than the odd one below it. There are ${length(var.managers)}."
  }

  validation {
    condition = length(var.managers) <= 1 || alltrue([
      for name in var.managers : try(2 * length([for other in var.managers : other if var.machines[other].placement.host == var.machines[name].placement.host]) < length(var.managers), true)
    ])
    error_message = "The loss of one host would take the majority of the managers away. Spread them over three hosts: ${join(", ", [for name in var.managers : try("${name} is on ${var.machines[name].placement.host}", name)])}."
  }
}

variable "docker" {
  description = <<-EOT
    Docker Engine's settings.

    - `address_pools`: networks that Docker takes those of its bridges from, apart from the machines' own: CIDR notation to the prefix length of each.
    - `log_size`, `log_files`: a container's log is written anew at this size, and so many are kept.
    - `settings`: further settings of daemon.json.
  EOT
  type = object({
    address_pools = optional(map(number), { "10.200.0.0/16" = 24 })
    log_size      = optional(string, "10m")
    log_files     = optional(number, 5)
    settings      = optional(any, {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = length(var.docker.address_pools) > 0 && alltrue([for base, size in var.docker.address_pools : can(cidrhost(base, 0)) && size > try(tonumber(split("/", base)[1]), 32) && size <= 30])
    error_message = "docker.address_pools are networks in CIDR notation with the longer prefix length of each of theirs, such as { \"10.200.0.0/16\" = 24 }."
  }

  validation {
    condition     = can(regex("^[1-9][0-9]*[kmg]$", var.docker.log_size)) && var.docker.log_files >= 1 && floor(var.docker.log_files) == var.docker.log_files
    error_message = "docker.log_size is such as \"10m\", and docker.log_files a whole number of at least 1."
  }

  validation {
    condition     = length(setintersection(keys(var.docker.settings), ["live-restore", "labels", "default-address-pools", "log-driver", "log-opts"])) == 0
    error_message = "docker.settings has one that the module sets itself. live-restore in particular does not go together with a swarm."
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
  description = "Configuration of the machines' Consul agent, `module.consul.agent`: content of each file by path. Without files the machines have no agent."
  type        = object({ files = map(string) })
  default     = { files = {} }
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
  description = "Number that says that `consul_secrets` changed, which Terraform cannot see by itself."
  type        = number
  default     = null
}

variable "packages" {
  description = "Debian packages that cloud-init installs, beyond those of the image."
  type        = list(string)
  default     = ["docker.io"]
  nullable    = false
}

variable "repositories" {
  description = "Package repositories that cloud-init adds, its `apt.sources`: by name, the line of the `source` and the public `key` in ASCII, such as `{ vendor = { source = \"deb [signed-by=$KEY_FILE] https://packages.example.com/apt stable main\", key = file(\"vendor.asc\") } }`."
  type        = map(object({ source = string, key = string }))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for repository in values(var.repositories) : startswith(repository.source, "deb ") && strcontains(repository.source, "signed-by=$KEY_FILE")])
    error_message = "The source of a repository is a line that begins with \"deb \" and says [signed-by=$KEY_FILE], so that its key is good for this repository only."
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
