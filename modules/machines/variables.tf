variable "machines" {
  description = <<-EOT
    Machines by name, which is also the guest's host name.

    - `placement`: where it runs, `hypervisor_placement.shop.assignments["web-1"]`.
    - `address`: its address with the prefix length, such as `10.0.0.101/24`.
    - `memory`: the same as the placement counted, such as `4GiB`.
    - `vcpus_maximum`: vCPUs that the machine can be given while it runs: so many of them the placement can say later without a restart. Defaults to those that it says now.
    - `root`: size of the system's disk. It grows in place.
    - `data`: further disks, name to size, such as `{ mysql = "50GiB" }`. The guest finds one at `/dev/disk/by-id/virtio-<name>`. A container has none.
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
    condition     = alltrue([for name in keys(var.machines) : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", name))])
    error_message = "A machine's name is its host name: lower-case letters, digits and hyphens, at most 63 of them, such as \"web-1\"."
  }

  validation {
    condition     = alltrue([for machine in values(var.machines) : can(cidrhost(machine.address, 0)) && can(split("/", machine.address)[1])])
    error_message = "An address has its prefix length, such as \"10.0.0.101/24\"."
  }

  validation {
    condition     = length(distinct([for machine in values(var.machines) : split("/", machine.address)[0]])) == length(var.machines)
    error_message = "No two machines have the same address."
  }

  validation {
    condition     = alltrue([for machine in values(var.machines) : alltrue([for size in concat([machine.memory, machine.root], values(machine.data)) : can(regex("^[0-9]+(\\.[0-9]+)?(MiB|GiB|TiB)$", size))])])
    error_message = "memory, root and the sizes in data are sizes such as \"4GiB\"."
  }

  validation {
    condition     = alltrue([for name in flatten([for machine in values(var.machines) : keys(machine.data)]) : name != "root" && can(regex("^[a-z][a-z0-9-]{0,19}$", name))])
    error_message = "A name in data is the disk's serial number: it begins with a lower-case letter, has at most 20 lower-case letters, digits and hyphens, and is not \"root\"."
  }
}

variable "image" {
  description = <<-EOT
    What machines are made of, as the module `image` gives it.

    - `volumes`: the image's volume on each host, host to volume id.
    - `kind`: `disk`, or `archive` on hosts of containers (`lxc:///`), where a machine is a container that is made of a tar archive, without pins and disks.
  EOT
  type = object({
    volumes = map(string)
    kind    = optional(string, "disk")
  })
  nullable = false

  validation {
    condition     = contains(["disk", "archive"], var.image.kind)
    error_message = "image.kind is \"disk\", or \"archive\" for containers."
  }

  validation {
    condition     = alltrue([for machine in values(var.machines) : contains(keys(var.image.volumes), machine.placement.host)])
    error_message = "image.volumes has no image for a host that a machine is placed on: ${join(", ", sort(distinct([for machine in values(var.machines) : machine.placement.host if !contains(keys(var.image.volumes), machine.placement.host)])))}. Add the host to the module image."
  }
}

variable "network" {
  description = "The network that all machines are on: the hosts' `bridge`, the default `gateway`, and `nameservers`."
  type = object({
    bridge      = string
    gateway     = optional(string)
    nameservers = optional(list(string), [])
  })
  nullable = false

  validation {
    condition     = alltrue([for address in concat(var.network.nameservers, var.network.gateway == null ? [] : [var.network.gateway]) : can(cidrhost("${address}/32", 0)) || can(cidrhost("${address}/128", 0))])
    error_message = "network.gateway and network.nameservers are addresses without a prefix length, such as \"10.0.0.1\"."
  }
}

variable "user_data" {
  description = "By machine: what cloud-init is told, YAML that begins with `#cloud-config`. It stands in the plan and in the state."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.user_data), keys(var.machines))) == 0
    error_message = "user_data names a machine that is not in machines: ${join(", ", setsubtract(keys(var.user_data), keys(var.machines)))}."
  }

  validation {
    condition     = alltrue([for text in values(var.user_data) : startswith(text, "#cloud-config\n")])
    error_message = "user_data is YAML that begins with a line \"#cloud-config\"."
  }
}

variable "secrets" {
  description = "By machine, for all of them or for none: the same for what must not be in the state, such as keys and passwords. Its lists are appended to those of `user_data`."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true

  validation {
    condition     = length(var.secrets) == 0 || join(",", keys(var.secrets)) == join(",", keys(var.machines))
    error_message = "secrets are for all machines or for none, since their version stands in each machine's state."
  }

  validation {
    condition     = alltrue([for text in values(var.secrets) : startswith(text, "#cloud-config\n")])
    error_message = "secrets are YAML that begins with a line \"#cloud-config\"."
  }

  validation {
    condition     = (length(var.secrets) > 0) == (var.secrets_version != null)
    error_message = "secrets need a secrets_version, such as 1, and the other way round: Terraform cannot see by itself that they changed."
  }
}

variable "secrets_version" {
  description = "Number that says that `secrets` changed. Null if there are none."
  type        = number
  default     = null
}

variable "wait_for" {
  description = "TCP `port` that each machine accepts connections at before it counts as created."
  type        = object({ port = number })
  default     = null

  validation {
    condition     = var.wait_for == null || try(var.wait_for.port >= 1 && var.wait_for.port <= 65535 && floor(var.wait_for.port) == var.wait_for.port, false)
    error_message = "wait_for.port is a TCP port from 1 to 65535."
  }
}

variable "drain" {
  description = "Services in Consul that a machine's instances of leave DNS before the machine is disturbed, and how long that is waited for, as `drain` of `hypervisor_vm`."
  type = object({
    services = set(string)
    wait     = optional(string)
  })
  default = null
}

variable "shutdown_timeout" {
  description = "How long a machine that is told to stop may take, until its power is cut. Defaults to 30 s."
  type        = string
  default     = null
}

variable "allow_change" {
  description = "The most that a plan may disturb a running machine: `none`, `live`, `reboot` or `replace`."
  type        = string
  default     = "live"
  nullable    = false

  validation {
    condition     = contains(["none", "live", "reboot", "replace"], var.allow_change)
    error_message = "allow_change is \"none\", \"live\", \"reboot\" or \"replace\"."
  }
}

variable "stopped" {
  description = "Names of machines that are shut down, as long as they are named here: before planned work on their host."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.stopped, keys(var.machines))) == 0
    error_message = "stopped names a machine that is not in machines: ${join(", ", setsubtract(var.stopped, keys(var.machines)))}."
  }
}

variable "pool" {
  description = "Storage pool of the hosts that the disks are in."
  type        = string
  default     = "default"
  nullable    = false
}

variable "protect_data" {
  description = "Whether a plan that would delete or replace a data disk is refused once something was written to it. Set it to `false` and apply before you delete a machine with its data."
  type        = bool
  default     = true
  nullable    = false
}

variable "description" {
  description = "What people who look at a host should know of the machines."
  type        = string
  default     = null
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
