variable "machines" {
  description = <<-EOT
    The gateways by name, two or more, on at least two hosts. The first by name that is well has the address to begin with.

    - `placement`: where it runs, `hypervisor_placement.shop.assignments["gateway-1"]`.
    - `address`: its address with the prefix length, such as `10.0.0.31/24`.
    - `memory`: the same as the placement counted, such as `4GiB`.
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
    condition     = length(var.machines) >= 2 && length(var.machines) <= 20
    error_message = "machines has two to twenty gateways: a lone one is a single point of failure."
  }

  validation {
    condition     = length(var.machines) < 2 || length(distinct([for machine in values(var.machines) : machine.placement.host])) > 1
    error_message = "All gateways are on the same host, ${try(values(var.machines)[0].placement.host, "")}, whose loss would take all of them: give their group spread = \"hosts\" in the placement."
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
  description = "Token with which Traefik reads services and its own keys from Consul, that of `gateway` of the module `consul-cluster`. It is stored neither in the state nor in the plan."
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
  description = "Number that says that a secret changed, which Terraform cannot see by itself."
  type        = number
  default     = 1
  nullable    = false
}

variable "address" {
  description = "The virtual address, which clients know, with its prefix length, such as `10.0.0.100/24`."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.address, 0)) && !strcontains(var.address, ":")
    error_message = "address is an IPv4 address with its prefix length, such as \"10.0.0.100/24\"."
  }

  validation {
    condition     = !contains([for machine in values(var.machines) : split("/", machine.address)[0]], split("/", var.address)[0])
    error_message = "address is that of one of the machines; the virtual address is another one, which no machine has for itself."
  }
}

variable "engine" {
  description = "The gateway: `traefik` or `kong`."
  type        = string
  default     = "traefik"
  nullable    = false

  validation {
    condition     = contains(["traefik", "kong"], var.engine)
    error_message = "engine is \"traefik\" or \"kong\"."
  }
}

variable "service" {
  description = "Name of the gateways' own service in Consul."
  type        = string
  default     = "gateway"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.service))
    error_message = "service is a name in DNS: lower-case letters, digits and hyphens, at most 63 of them, such as \"gateway\"."
  }
}

variable "vrrp" {
  description = <<-EOT
    How the gateways agree on who has the address.

    - `router_id`: number from 1 to 255 that no other group of VRRP machines on the same network has.
    - `advert_interval`: how often the one that has the address says so, in steps of 10 ms up to 40 s. After three of them without a word another one takes over. A live migration must not stop a gateway for longer than that.
    - `failures`: how often in a row the gateway does not answer before its machine gives the address up.
    - `preempt`: whether a machine with a higher priority (an earlier name) takes the address back when it returns, which is one more switch.
  EOT
  type = object({
    router_id       = optional(number, 51)
    advert_interval = optional(string, "300ms")
    failures        = optional(number, 2)
    preempt         = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.vrrp.router_id >= 1 && var.vrrp.router_id <= 255 && floor(var.vrrp.router_id) == var.vrrp.router_id
    error_message = "vrrp.router_id is a whole number from 1 to 255."
  }

  validation {
    condition     = can(regex("^([1-9][0-9]*0ms|([1-9]|[123][0-9]|40)(\\.[0-9]{1,2})?s)$", var.vrrp.advert_interval))
    error_message = "vrrp.advert_interval is a duration from \"10ms\" to \"40s\" in steps of 10 ms, such as \"300ms\"."
  }

  validation {
    condition     = var.vrrp.failures >= 1 && floor(var.vrrp.failures) == var.vrrp.failures
    error_message = "vrrp.failures is a whole number and at least 1."
  }
}

variable "check_interval" {
  description = "How often keepalived asks the gateway on its own machine whether it answers, in whole seconds."
  type        = string
  default     = "1s"
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]*s$", var.check_interval))
    error_message = "check_interval is a number of whole seconds, such as \"1s\": keepalived knows no fractions of them."
  }
}

variable "dial_timeout" {
  description = "How long a request waits for a machine that does not accept its connection, before it is tried on another."
  type        = string
  default     = "1s"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", var.dial_timeout))
    error_message = "dial_timeout is a duration such as \"1s\"."
  }
}

variable "idle_timeout" {
  description = "How long an idle connection to a machine is kept. Shorter than the machine keeps it, which in the module `web-tier` is 5 s."
  type        = string
  default     = "4s"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", var.idle_timeout))
    error_message = "idle_timeout is a duration such as \"4s\"."
  }
}

variable "grace_time" {
  description = "How long a gateway that is told to stop goes on with the requests that it has, once it has given the address away."
  type        = string
  default     = "10s"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", var.grace_time))
    error_message = "grace_time is a duration such as \"10s\"."
  }
}

variable "handover_time" {
  description = "How long a gateway that is told to stop keeps the address, at most, until it has answered the requests that it has. Who connects meanwhile has to wait, and requests that take longer are cut off."
  type        = string
  default     = "2s"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", var.handover_time))
    error_message = "handover_time is a duration such as \"2s\"."
  }
}

variable "https" {
  description = <<-EOT
    - `enabled`: whether the gateway listens at port 443 too.
    - `redirect`: whether requests at port 80 are sent there.
    - `certificates`: names of the `certificates`, which are secrets, so that their names have to be said apart. Without any the gateway makes one that no browser trusts. Kong takes the first for names that none of them is for.
  EOT
  type = object({
    enabled      = optional(bool, true)
    redirect     = optional(bool, true)
    certificates = optional(list(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in var.https.certificates : can(regex("^[A-Za-z0-9][A-Za-z0-9.-]*$", name))])
    error_message = "A name in https.certificates is that of a file: letters, digits, dots and hyphens, such as \"shop.example.com\"."
  }
}

variable "certificates" {
  description = "By name: the `certificate` with those between it and its authority, and its `key`, both as PEM. They are stored neither in the state nor in the plan."
  type        = map(object({ certificate = string, key = string }))
  default     = {}
  nullable    = false
  ephemeral   = true

  validation {
    condition     = length(setsubtract(var.https.certificates, keys(var.certificates))) == 0
    error_message = "https.certificates names one that is not in certificates."
  }
}

variable "routes" {
  description = <<-EOT
    Routes that the gateways have from their first boot on, by name: requests for one of `hosts` (any host, if there is none) below one of `paths` go to the healthy instances of `service` in Consul, on at most `tries` of them one after the other. What changes belongs into `gateway_route`. Kong with a database has all its routes from there.
  EOT
  type = map(object({
    service = string
    hosts   = optional(list(string), [])
    paths   = optional(list(string), ["/"])
    tries   = optional(number, 3)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for route in values(var.routes) : alltrue([for path in route.paths : startswith(path, "/")]) && length(route.paths) > 0])
    error_message = "A route has at least one path, and each begins with a slash."
  }

  validation {
    condition     = alltrue([for route in values(var.routes) : route.tries >= 1 && floor(route.tries) == route.tries])
    error_message = "tries of a route is a whole number and at least 1."
  }

  validation {
    condition     = length(var.routes) == 0 || var.engine != "kong" || var.kong.postgres == null
    error_message = "A Kong with a database has its routes there: declare them by gateway_route and leave routes out."
  }
}

variable "key_prefix" {
  description = "Key in Consul below which Traefik finds what this provider declares (`gateway.traefik.key_prefix` in its block)."
  type        = string
  default     = "traefik"
  nullable    = false
}

variable "kong" {
  description = <<-EOT
    Kong's settings.

    - `admin`: whether the Admin API listens at port 8001 of each machine, which this provider needs to write to. It asks for no password: keep the network to yourself.
    - `postgres`: Kong's database, which the provider needs as well. Without it Kong has the `routes` of this module only.
  EOT
  type = object({
    admin = optional(bool, false)
    postgres = optional(object({
      host     = string
      port     = optional(number, 5432)
      user     = optional(string, "kong")
      database = optional(string, "kong")
      tls      = optional(bool, true)
    }))
  })
  default  = {}
  nullable = false
}

variable "kong_password" {
  description = "Password of Kong's account in its database. It is stored neither in the state nor in the plan."
  type        = string
  default     = ""
  nullable    = false
  ephemeral   = true

  validation {
    condition     = !strcontains(var.kong_password, "'") && !strcontains(var.kong_password, "\n")
    error_message = "kong_password has no quotes and no line breaks."
  }

  validation {
    condition     = var.engine != "kong" || var.kong.postgres == null || var.kong_password != ""
    error_message = "kong_password is needed with kong.postgres."
  }
}

variable "files" {
  description = "Further files, content by path, such as one below `/etc/traefik/dynamic`."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for path in keys(var.files) : startswith(path, "/")])
    error_message = "A path in files begins with a slash."
  }
}

variable "commands" {
  description = "Commands that each machine runs at its first boot, before the gateway starts, each as the list of its words."
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
  description = "Services that the provider takes out of Consul before it disturbs a machine, as `drain` of `hypervisor_vm`. The address needs none: a gateway gives it away before it stops."
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
