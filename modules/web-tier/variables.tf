variable "machines" {
  description = <<-EOT
    The machines by name, which is also the id of their instance in Consul.

    - `placement`: where it runs, `hypervisor_placement.shop.assignments["web-1"]`.
    - `address`: its address with the prefix length, such as `10.0.0.101/24`.
    - `memory`: the same as the placement counted, such as `4GiB`. Apache's limits follow from it.
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
    condition     = length(var.machines) > 0
    error_message = "machines has at least one machine; two on different hosts outlive the loss of one."
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

variable "consul_token" {
  description = "Token that may write the service in Consul, that of `services` of the module `consul-cluster`: a machine shows it when it leaves. It is stored neither in the state nor in the plan."
  type        = string
  default     = ""
  nullable    = false
  ephemeral   = true

  validation {
    condition     = can(regex("^[0-9a-f-]*$", var.consul_token))
    error_message = "consul_token is a UUID in lower case."
  }
}

variable "secrets_version" {
  description = "Number that says that `consul_secrets` or `consul_token` changed, which Terraform cannot see by itself."
  type        = number
  default     = 1
  nullable    = false
}

variable "service" {
  description = "Name of the service in Consul."
  type        = string
  default     = "web"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.service))
    error_message = "service is a name in DNS: lower-case letters, digits and hyphens, at most 63 of them, such as \"web\"."
  }
}

variable "tags" {
  description = "Tags of the service in Consul. Traefik wants those that begin with `traefik.` to be the same on all machines, or it drops the service: what may change belongs into `gateway_upstream`."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "port" {
  description = "TCP port that the machines answer at."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.port >= 1 && var.port <= 65535 && floor(var.port) == var.port
    error_message = "port is a TCP port from 1 to 65535."
  }
}

variable "health_path" {
  description = "Path that answers with a status of 2xx while the machine is well. Apache gets a file for it, unless `files` has one there or it ends with `/`."
  type        = string
  default     = "/health"
  nullable    = false

  validation {
    condition     = can(regex("^/[A-Za-z0-9/_.-]*$", var.health_path)) && !strcontains(var.health_path, "..")
    error_message = "health_path begins with a slash and has letters, digits and the signs / _ . - only, such as \"/health\"."
  }
}

variable "check" {
  description = "How often Consul's agent asks the machine whether it is well, and how long it waits for the answer."
  type = object({
    interval = optional(string, "2s")
    timeout  = optional(string, "1s")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for duration in values(var.check) : can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", duration))])
    error_message = "check.interval and check.timeout are durations such as \"2s\"."
  }
}

variable "drain_time" {
  description = "How long a machine that is told to stop goes on answering after it has left Consul: time for DNS answers and gateways to forget it."
  type        = string
  default     = "10s"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", var.drain_time))
    error_message = "drain_time is a duration such as \"10s\"."
  }
}

variable "server" {
  description = "What answers: `apache`, or `none` for what `packages`, `files` and `commands` set up."
  type        = string
  default     = "apache"
  nullable    = false

  validation {
    condition     = contains(["apache", "none"], var.server)
    error_message = "server is \"apache\" or \"none\"."
  }
}

variable "apache" {
  description = <<-EOT
    Apache's settings.

    - `php`: whether it runs PHP, with a process for each request; without it threads.
    - `reserved_memory`: what the system, the agent and PHP's cache of compiled code take.
    - `worker_memory`: what one request may take. PHP's `memory_limit` is set to it. Defaults to `64MiB`, without PHP to `2MiB`.
    - `timeout`: how long Apache waits for the next bytes of a request or of its answer.
  EOT
  type = object({
    php             = optional(bool, true)
    reserved_memory = optional(string, "512MiB")
    worker_memory   = optional(string)
    timeout         = optional(string, "30s")
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for size in [var.apache.reserved_memory, coalesce(var.apache.worker_memory, "1MiB")] : can(regex("^[0-9]+(\\.[0-9]+)?(MiB|GiB|TiB)$", size))])
    error_message = "apache.reserved_memory and apache.worker_memory are sizes such as \"64MiB\"."
  }

  validation {
    condition     = can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", var.apache.timeout))
    error_message = "apache.timeout is a duration such as \"30s\"."
  }
}

variable "packages" {
  description = "Debian packages that cloud-init installs, beyond those of the image."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "files" {
  description = "Files of the site and of its settings, content by path, such as `/var/www/html/index.php`."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for path in keys(var.files) : startswith(path, "/")])
    error_message = "A path in files begins with a slash, such as \"/var/www/html/index.php\"."
  }
}

variable "commands" {
  description = "Commands that each machine runs at its first boot, before it enters Consul, each as the list of its words."
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
  description = "Services that the provider takes out of Consul before it disturbs a machine, as `drain` of `hypervisor_vm`. A guest with systemd leaves by itself whenever it stops, and needs none."
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
