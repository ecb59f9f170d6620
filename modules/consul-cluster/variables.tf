variable "machines" {
  description = <<-EOT
    The three servers by name, which is also their name in Consul.

    - `placement`: where it runs, `hypervisor_placement.shop.assignments["consul-1"]`.
    - `address`: its address with the prefix length, such as `10.0.0.21/24`. Agents look for the servers there.
    - `memory`: the same as the placement counted, such as `2GiB`.
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
    condition     = length(var.machines) == 3
    error_message = "There are three servers: with two the loss of one stops both, and a fourth adds no vote that counts."
  }

  validation {
    condition     = var.survives != "host" || length(distinct([for machine in values(var.machines) : lookup(var.domains, machine.placement.host, machine.placement.host)])) == length(var.machines)
    error_message = "Two servers would be lost together: ${join(", ", [for name, machine in var.machines : "${name} in ${lookup(var.domains, machine.placement.host, machine.placement.host)}"])}. Place each in a failure domain of its own, the third on a witness."
  }
}

variable "survives" {
  description = "`host`: refused unless each server is in a failure domain of its own, so that the loss of any leaves a majority. Null for two hosts without a witness: the loss of the one with two servers then stops what needs a majority, such as the locks of the MySQL pairs, and DNS goes on answering from what it knows."
  type        = string
  default     = "host"

  validation {
    condition     = var.survives == null || var.survives == "host"
    error_message = "survives is \"host\" or null."
  }
}

variable "domains" {
  description = "Failure domain of a host, such as its rack, for hosts that are lost together: host to domain. A host that is not named is a domain of its own."
  type        = map(string)
  default     = {}
  nullable    = false
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

variable "datacenter" {
  description = "Name of the datacenter. The servers' certificate names `server.<datacenter>.consul`."
  type        = string
  default     = "dc1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]*$", var.datacenter))
    error_message = "datacenter has lower-case letters, digits and hyphens, such as \"dc1\"."
  }
}

variable "secrets" {
  description = <<-EOT
    Keys, certificates and tokens, which reach the machines and neither the plan nor the state.

    - `gossip_key`: 32 random bytes in base64 (`consul keygen`), by which members know each other.
    - `ca_certificate`: PEM, the authority that all machines trust.
    - `server_certificate`, `server_key`: PEM, for `server.<datacenter>.consul`, the servers' addresses and `127.0.0.1`, usable by servers and clients.
    - `tokens`: a UUID of your own choice by what it is for: `management`, `agent`, `services`, and any other of the `policies`.
  EOT
  type = object({
    gossip_key         = string
    ca_certificate     = string
    server_certificate = string
    server_key         = string
    tokens             = map(string)
  })
  ephemeral = true
  nullable  = false

  validation {
    condition     = can(regex("^[A-Za-z0-9+/]{43}=$", var.secrets.gossip_key))
    error_message = "secrets.gossip_key is 32 bytes in base64, as consul keygen prints them."
  }

  validation {
    condition     = alltrue([for pem in [var.secrets.ca_certificate, var.secrets.server_certificate] : startswith(pem, "-----BEGIN CERTIFICATE-----")]) && can(regex("^-----BEGIN [A-Z ]*PRIVATE KEY-----", var.secrets.server_key))
    error_message = "secrets.ca_certificate, server_certificate and server_key are PEM: they begin with -----BEGIN."
  }

  validation {
    condition     = alltrue([for name in ["management", "agent", "services"] : contains(keys(var.secrets.tokens), name)]) && alltrue([for token in values(var.secrets.tokens) : can(regex("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", token))])
    error_message = "secrets.tokens has at least management, agent and services, and each is a UUID in lower case, as uuidgen prints it."
  }

  validation {
    condition     = length(setsubtract(keys(var.secrets.tokens), concat(["management"], keys(local.policies)))) == 0
    error_message = "secrets.tokens has a token for which there is no policy. Add one to policies."
  }
}

variable "secrets_version" {
  description = "Number that says that `secrets` changed, which Terraform cannot see by itself."
  type        = number
  default     = 1
  nullable    = false
}

variable "policies" {
  description = "Further ACL policies, name to rules, and other rules for `agent`, `dns`, `services`, `mysql-pair` and `gateway`."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.policies) : can(regex("^[A-Za-z0-9_-]{1,128}$", name)) && name != "management"])
    error_message = "A policy's name has letters, digits, hyphens and underscores, and is not \"management\"."
  }
}

variable "detection" {
  description = <<-EOT
    How fast the loss of a machine is noticed. Shorter times take it for a loss when a machine only stalls.

    - `probe_interval`, `probe_timeout`: how often a member asks another one, and how long it waits before it has others ask.
    - `suspicion_mult`: for how many intervals a member may refute that it is lost.
    - `members`: about how many machines there are: from 10 on, more of them are given more time.
  EOT
  type = object({
    probe_interval = optional(string, "500ms")
    probe_timeout  = optional(string, "300ms")
    suspicion_mult = optional(number, 3)
    members        = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for duration in [var.detection.probe_interval, var.detection.probe_timeout] : can(regex("^[0-9]+(ms|s)$", duration))])
    error_message = "detection.probe_interval and probe_timeout are durations such as \"500ms\" and \"1s\"."
  }

  validation {
    condition     = var.detection.suspicion_mult >= 2 && floor(var.detection.suspicion_mult) == var.detection.suspicion_mult && var.detection.members >= 3
    error_message = "detection.suspicion_mult is a whole number of at least 2, and members at least 3."
  }
}

variable "dns_ttl" {
  description = "How long an answer of Consul's DNS may be used again. Zero would make each connection begin by a look-up."
  type        = string
  default     = "2s"
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]*[sm]$", var.dns_ttl))
    error_message = "dns_ttl is in whole seconds or minutes and above zero, such as \"2s\": DNS knows no parts of a second."
  }
}

variable "service_ttl" {
  description = "The same for single services."
  type        = map(string)
  default     = { mysql-writer = "1s", mysql-reader = "1s" }
  nullable    = false

  validation {
    condition     = alltrue([for ttl in values(var.service_ttl) : can(regex("^[1-9][0-9]*[sm]$", ttl))])
    error_message = "service_ttl is in whole seconds or minutes and above zero, such as { mysql-writer = \"1s\" }."
  }
}

variable "wait_for" {
  description = "TCP `port` that each server accepts connections at before it counts as created. Null waits for nothing."
  type        = object({ port = number })
  default     = { port = 8501 }
}

variable "allow_change" {
  description = "The most that a plan may disturb a running server: `none`, `live`, `reboot` or `replace`."
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
