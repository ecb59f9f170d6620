variable "machines" {
  description = <<-EOT
    The nodes by name.

    - `placement`: where it runs, `hypervisor_placement.shop.assignments["web-1"]`.
    - `address`: its address with the prefix length, such as `10.0.0.81/24`.
    - `memory`: the same as the placement counted, such as `16GiB`. The heap follows from it.
    - `vcpus_maximum`: vCPUs that it can be given while it runs, as in the module `machines`.
    - `root`: size of the system's disk.
    - `data`: further disks, as in the module `machines`. One called `data` gets a file system and holds the indexes.
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
    condition     = length(var.machines) >= 3
    error_message = "machines are at least three: a vote of two is lost with one of them. There are ${length(var.machines)}."
  }

  validation {
    condition     = length(distinct([for machine in values(var.machines) : lookup(var.failure_domains, machine.placement.host, machine.placement.host)])) >= 3
    error_message = "Three nodes vote on who is master, each in a failure domain of its own, and the machines are in fewer: ${join(", ", sort(distinct([for machine in values(var.machines) : lookup(var.failure_domains, machine.placement.host, machine.placement.host)])))}. Place one on a further host, such as the witness."
  }

  validation {
    condition     = alltrue([for machine in values(var.machines) : try(tonumber(regex("^[0-9.]+", machine.memory)) * { MiB = 1, GiB = 1024, TiB = 1048576 }[regex("[A-Za-z]+$", machine.memory)] >= 2048, false)])
    error_message = "A node has at least 2GiB of memory: half of it is the heap, and Elasticsearch does not start with less than about 1GiB."
  }
}

variable "failure_domains" {
  description = "What fails together, by host: a rack, a power feed. Defaults to each host by itself."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "cluster" {
  description = "Name of the cluster."
  type        = string
  default     = "search"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.cluster))
    error_message = "cluster has lower-case letters, digits and hyphens, such as \"search\"; it is also the name of the service in Consul."
  }
}

variable "heap" {
  description = "Heap of each node, such as `8GiB`. Defaults to half of the machine's memory and at most 30GiB: the other half is the file cache that searches live from, and above about 31 GiB Java's pointers double in size."
  type        = string
  default     = null

  validation {
    condition     = var.heap == null || can(regex("^[0-9]+(MiB|GiB)$", var.heap))
    error_message = "heap is a size such as \"8GiB\"."
  }

  validation {
    condition     = try(tonumber(regex("^[0-9]+", var.heap)) * { MiB = 1, GiB = 1024 }[regex("[A-Za-z]+$", var.heap)] < 31 * 1024, true)
    error_message = "heap is below 31GiB: above it Java's pointers double in size, and more heap holds less."
  }

  validation {
    condition = alltrue([
      for machine in values(var.machines) : try(
        2 * tonumber(regex("^[0-9]+", var.heap)) * { MiB = 1, GiB = 1024 }[regex("[A-Za-z]+$", var.heap)] <= tonumber(regex("^[0-9.]+", machine.memory)) * { MiB = 1, GiB = 1024, TiB = 1048576 }[regex("[A-Za-z]+$", machine.memory)],
        true,
      )
    ])
    error_message = "heap is at most half of a machine's memory: the other half is the file cache that searches live from. Lower it, or give the machines more."
  }
}

variable "settings" {
  description = "Further settings of elasticsearch.yml, by their full names, such as `{ \"indices.memory.index_buffer_size\" = \"20%\" }`."
  type        = map(any)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.settings), ["cluster.name", "node.name", "node.roles", "network.host", "discovery.seed_hosts", "cluster.initial_master_nodes", "cluster.routing.allocation.awareness.attributes"])) == 0
    error_message = "settings has one that the module sets itself; names, roles, discovery and awareness follow from machines and failure_domains."
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

variable "certificates" {
  description = "PEM files for TLS among the nodes and to clients, stored neither in the state nor in the plan: `ca`, and the `certificate` and `key` of the nodes. Null switches Elasticsearch's security off, for networks that nobody else is on."
  type = object({
    ca          = string
    certificate = string
    key         = string
  })
  default   = null
  ephemeral = true

  validation {
    condition     = var.certificates == null || try(alltrue([for pem in values(var.certificates) : strcontains(pem, "-----BEGIN ")]), false)
    error_message = "ca, certificate and key in certificates are texts in PEM, with a line that begins with \"-----BEGIN \"."
  }

  validation {
    condition     = (var.certificates != null) == var.security
    error_message = "certificates are given if security is true, and only then."
  }
}

variable "security" {
  description = "Whether nodes and clients use TLS and passwords. It takes `certificates`."
  type        = bool
  default     = true
  nullable    = false
}

variable "secrets_version" {
  description = "Number that says that `certificates` or `consul_secrets` changed, which Terraform cannot see by itself."
  type        = number
  default     = 1
  nullable    = false
}

variable "packages" {
  description = "Debian packages that cloud-init installs, beyond those of the image. Debian has no Elasticsearch: give its repository, or an image that has it."
  type        = list(string)
  default     = ["elasticsearch"]
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
