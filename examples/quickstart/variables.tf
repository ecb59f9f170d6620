variable "hosts" {
  description = "Libvirt connection URI of each host, by name."
  type        = map(string)
  default = {
    alpha = "qemu+ssh://root@10.0.0.11/system"
    beta  = "qemu+ssh://root@10.0.0.12/system"
  }
}

variable "machines" {
  description = "The machines by name: the host of each and its address on the hosts' bridge br0."
  type        = map(object({ host = string, address = string }))
  default = {
    web-1 = { host = "alpha", address = "10.0.0.101" }
    web-2 = { host = "beta", address = "10.0.0.102" }
  }

  validation {
    condition     = alltrue([for machine in var.machines : contains(keys(var.hosts), machine.host)])
    error_message = "Each machine's host must be one of the names in hosts."
  }
}

variable "lan_gateway" {
  description = "Default gateway of the machines."
  type        = string
  default     = "10.0.0.1"
}

variable "image" {
  description = "Path of a bootable qcow2 image with cloud-init and a busybox, such as Debian's."
  type        = string
}

variable "memory" {
  description = "Memory of each machine."
  type        = string
  default     = "1GiB"
}

variable "consul" {
  description = "Address of a Consul agent that can reach the machines."
  type        = string
  default     = "http://10.0.0.21:8500"
}

variable "domain_type" {
  description = "kvm, or qemu on hosts without hardware virtualisation."
  type        = string
  default     = "kvm"
}
