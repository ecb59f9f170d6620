variable "name" {
  description = "Name of the environment; its machines and volumes begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}$", var.name))
    error_message = "name is of lower case letters, digits and dashes, such as \"staging\"."
  }
}

variable "hosts" {
  description = "Names of the hosts in the provider block."
  type        = set(string)

  validation {
    condition     = length(var.hosts) >= 2
    error_message = "hosts are at least two: with one the loss of a host is the loss of the service."
  }
}

variable "image" {
  description = "Path of a bootable qcow2 image with cloud-init."
  type        = string
}

variable "web" {
  description = "The web machines: how many, the vCPUs and the memory of each, and the class up to which a plan may disturb them."
  type = object({
    machines     = optional(number, 2)
    vcpus        = optional(number, 2)
    memory       = optional(string, "4GiB")
    allow_change = optional(string, "live")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.web.machines >= 2 && floor(var.web.machines) == var.web.machines
    error_message = "web.machines is a whole number of at least 2."
  }
}

variable "network" {
  description = "The machines' network in CIDR notation; its first address is the gateway, and web machines have those from the hundredth on."
  type        = string

  validation {
    condition     = can(cidrhost(var.network, 200))
    error_message = "network is in CIDR notation with room for 200 machines, such as \"10.1.0.0/24\"."
  }
}

variable "domain_type" {
  description = "`kvm`, or `qemu` on hosts without hardware virtualisation."
  type        = string
  default     = "kvm"
}
