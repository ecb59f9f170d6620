variable "hosts" {
  description = "Names of the two hosts in the provider's block."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.hosts) == 2 && length(distinct(var.hosts)) == 2
    error_message = "hosts are two different hosts, such as [\"alpha\", \"beta\"]; for more see the module hundred-billion-gmv."
  }
}

variable "witness" {
  description = "Name of a third, small host in the provider's block. It has a Consul server and a sentinel, and no data: it only decides which of the two hosts is right when they do not hear each other. Any machine with libvirt will do that fails for other reasons than they do."
  type        = string
  default     = null

  validation {
    condition     = var.witness == null || !contains(var.hosts, coalesce(var.witness, "none"))
    error_message = "The witness is one of hosts, and would be lost with it: name a third one."
  }
}

variable "auto_failover" {
  description = "Whether the tiers with data change their primary by themselves when a host is lost. It needs a `witness`."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = !var.auto_failover || var.witness != null
    error_message = "auto_failover needs a witness. Two hosts that do not hear each other cannot know which of them is lost: each would take the other's writes, and what was written on one of them would be gone. Name a third host as witness, or set auto_failover = false and change a primary by hand."
  }
}

variable "address" {
  description = "The virtual address of the gateways with its prefix length, such as `10.0.0.100/24`. The machines have those after it: gateways from 1 after it, Consul from 11, MySQL from 21, Redis from 31, web machines from 41."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.address, 0)) && !strcontains(var.address, ":")
    error_message = "address is an IPv4 address with its prefix length, such as \"10.0.0.100/24\"."
  }

  validation {
    condition     = !can(cidrhost(var.address, 0)) || strcontains(var.address, ":") || tonumber(split(".", split("/", var.address)[0])[3]) + 40 + var.web.count < 255
    error_message = "The last number of address leaves no room for ${40 + var.web.count} machines after it, below 255: take a lower one, such as \"10.0.0.100/24\"."
  }
}

variable "addresses" {
  description = "Addresses of machines that have another one, with the prefix length, such as `{ web-1 = \"10.0.0.7/24\" }`."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.addresses), keys(local.fleet))) == 0
    error_message = "addresses names a machine that there is not: ${join(", ", setsubtract(keys(var.addresses), keys(local.fleet)))}."
  }
}

variable "image" {
  description = "What the machines are made of, as the module `image` gives it: the image's volume on each host, the witness too, and its `kind`."
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
  default  = { bridge = "br0" }
  nullable = false
}

variable "secrets" {
  description = <<-EOT
    Keys, certificates and passwords. They reach the machines and neither the plan nor the state.

    - `consul`: as `secrets` of the module `consul-cluster`, with the tokens `management`, `agent`, `services`, `gateway` and `mysql-pair`.
    - `mysql`: passwords of `replication` and, by name, of `users`; with `mysql.tls` the `certificates` of the module `mysql-pair`.
    - `redis_password`: password of the Redis servers.
    - `certificates`: the gateways' certificates by their names in `gateway.https.certificates`.
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
      certificates = optional(object({
        ca      = string
        servers = map(object({ certificate = string, key = string }))
      }))
    })
    redis_password = string
    certificates   = optional(map(object({ certificate = string, key = string })), {})
  })
  ephemeral = true
  nullable  = false

  validation {
    condition     = alltrue([for name in ["gateway", "mysql-pair"] : contains(keys(var.secrets.consul.tokens), name)])
    error_message = "secrets.consul.tokens has a token for gateway and one for mysql-pair, beside those that every cluster has."
  }
}

variable "secrets_version" {
  description = "Number that says that `secrets` changed, which Terraform cannot see by itself."
  type        = number
  default     = 1
  nullable    = false
}

variable "gateway" {
  description = <<-EOT
    The two gateways: `vcpus` and `memory` of each, and what the module `gateway-pair` says of `engine`, `https`, `vrrp` and `dial_timeout`.
  EOT
  type = object({
    vcpus  = optional(number, 2)
    memory = optional(string, "4GiB")
    engine = optional(string, "traefik")
    https = optional(object({
      enabled      = optional(bool, true)
      redirect     = optional(bool, true)
      certificates = optional(list(string), [])
    }), {})
    vrrp = optional(object({
      router_id       = optional(number, 51)
      advert_interval = optional(string, "300ms")
      failures        = optional(number, 2)
      preempt         = optional(bool, false)
    }), {})
    dial_timeout = optional(string, "300ms")
  })
  default  = {}
  nullable = false
}

variable "web" {
  description = <<-EOT
    The web machines: their `count`, `vcpus` and `memory` of each, and what the module `web-tier` says of `server`, `port`, `health_path`, `apache`, `packages`, `files`, `commands` and `drain_time`. Half of them have to carry the traffic when a host is lost.
  EOT
  type = object({
    count       = optional(number, 2)
    vcpus       = optional(number, 2)
    memory      = optional(string, "4GiB")
    server      = optional(string, "apache")
    port        = optional(number, 80)
    health_path = optional(string, "/health")
    apache = optional(object({
      php             = optional(bool, true)
      reserved_memory = optional(string, "512MiB")
      worker_memory   = optional(string)
      timeout         = optional(string, "30s")
    }), {})
    packages   = optional(list(string), [])
    files      = optional(map(string), {})
    commands   = optional(list(list(string)), [])
    drain_time = optional(string, "10s")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.web.count >= 2 && floor(var.web.count) == var.web.count
    error_message = "web.count is a whole number of machines and at least 2, one on each host."
  }
}

variable "mysql" {
  description = "The MySQL pair: `vcpus` and `memory` of each server, the size of its `data` disk, and what the module `mysql-pair` says of `databases`, `users`, `tls` and `settings`."
  type = object({
    vcpus     = optional(number, 4)
    memory    = optional(string, "16GiB")
    data      = optional(string, "50GiB")
    databases = optional(set(string), [])
    users = optional(map(object({
      database   = string
      privileges = optional(list(string), ["ALL PRIVILEGES"])
      from       = optional(string, "%")
    })), {})
    tls      = optional(bool, false)
    settings = optional(map(string), {})
  })
  default  = {}
  nullable = false
}

variable "redis" {
  description = "The Redis pair: `vcpus` and `memory` of each server, and what the module `redis-pair` says of `eviction` and `down_after`."
  type = object({
    vcpus      = optional(number, 2)
    memory     = optional(string, "4GiB")
    eviction   = optional(string, "noeviction")
    down_after = optional(string, "2s")
  })
  default  = {}
  nullable = false
}

variable "consul" {
  description = "The three Consul servers: `vcpus` and `memory` of each."
  type = object({
    vcpus  = optional(number, 2)
    memory = optional(string, "2GiB")
  })
  default  = {}
  nullable = false
}

variable "routes" {
  description = "Routes of the gateways, as in the module `gateway-pair`. Defaults to all requests to the web machines."
  type = map(object({
    service = string
    hosts   = optional(list(string), [])
    paths   = optional(list(string), ["/"])
    tries   = optional(number, 3)
  }))
  default = null
}

variable "facts" {
  description = "Hardware of hosts by name, in the shape of the `facts` of `data.hypervisor_host`, for hosts that are not to be asked: a plan that is to work while a host is down, or one before the hosts are bought. Others are asked."
  type        = any
  default     = {}
  nullable    = false
}

variable "host_options" {
  description = "What you decide about a host, as `host_options` of `hypervisor_placement`: `reserved_cpus` and `reserved_memory`."
  type = map(object({
    reserved_cpus   = optional(string)
    reserved_memory = optional(string)
  }))
  default  = {}
  nullable = false
}

variable "may_move" {
  description = "Whether a machine whose cores a host no longer has, such as a new one of the same name, gets others."
  type        = bool
  default     = false
  nullable    = false
}

variable "maintenance" {
  description = "Name of a host whose machines are shut down for planned work: web machines leave Consul, the gateway gives the address away, and primaries hand over before they stop. Take it away again, and they start and come back by themselves."
  type        = string
  default     = null

  validation {
    condition     = var.maintenance == null || contains(concat(var.hosts, [coalesce(var.witness, "none")]), coalesce(var.maintenance, "none"))
    error_message = "maintenance is one of hosts, or the witness."
  }
}

variable "datacenter" {
  description = "Name of Consul's datacenter."
  type        = string
  default     = "dc1"
  nullable    = false
}

variable "policies" {
  description = "Further ACL policies of Consul, as in the module `consul-cluster`."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "detection" {
  description = "How fast the loss of a machine is noticed, as in the module `consul-cluster`."
  type = object({
    probe_interval = optional(string, "500ms")
    probe_timeout  = optional(string, "300ms")
    suspicion_mult = optional(number, 3)
  })
  default  = {}
  nullable = false
}

variable "dns_ttl" {
  description = "How long an answer of Consul's DNS may be used again. The machines' own agents answer, without asking anybody."
  type        = string
  default     = "1s"
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]*[sm]$", var.dns_ttl))
    error_message = "dns_ttl is in whole seconds or minutes and above zero, such as \"2s\"."
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

variable "timeouts" {
  description = "How long creating, changing and deleting a machine may take, as `timeouts` of `hypervisor_vm`."
  type = object({
    create = optional(string)
    update = optional(string)
    delete = optional(string)
  })
  default = null
}
