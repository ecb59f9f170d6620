variable "machines" {
  description = <<-EOT
    The nodes by name.

    - `placement`: where it runs, `hypervisor_placement.shop.assignments["web-1"]`.
    - `address`: its address with the prefix length, such as `10.0.0.81/24`.
    - `memory`: the same as the placement counted, such as `16GiB`.
    - `vcpus_maximum`: vCPUs that it can be given while it runs, as in the module `machines`.
    - `root`: size of the system's disk.
    - `data`: further disks, as in the module `machines`. One called `containerd` gets a file system and holds images and containers.
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

variable "control_plane" {
  description = "Names of the machines that run the control plane; the others are workers."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(setsubtract(var.control_plane, keys(var.machines))) == 0
    error_message = "control_plane names what is not in machines: ${join(", ", setsubtract(var.control_plane, keys(var.machines)))}."
  }

  validation {
    condition     = contains([1, 3, 5, 7], length(var.control_plane))
    error_message = "control_plane has 1, 3, 5 or 7 machines: etcd votes, and an even number outlives no more than the odd one below it. There are ${length(var.control_plane)}."
  }

  validation {
    condition = length(var.control_plane) == 1 || alltrue([
      for name in var.control_plane : try(2 * length([for other in var.control_plane : other if var.machines[other].placement.host == var.machines[name].placement.host]) < length(var.control_plane), true)
    ])
    error_message = "The loss of one host would take the majority of etcd away. Spread the control plane over three hosts: ${join(", ", [for name in var.control_plane : try("${name} is on ${var.machines[name].placement.host}", name)])}."
  }

  validation {
    condition     = alltrue([for name in var.control_plane : try(length(var.machines[name].placement.pins) >= 2, true)])
    error_message = "A machine of the control plane has at least 2 vCPUs, or kubeadm refuses it."
  }

  validation {
    condition = alltrue([
      for name in var.control_plane : try(tonumber(regex("^[0-9.]+", var.machines[name].memory)) * { MiB = 1, GiB = 1024, TiB = 1048576 }[regex("[A-Za-z]+$", var.machines[name].memory)] >= 1700, true)
    ])
    error_message = "A machine of the control plane has at least 1700MiB of memory, or kubeadm refuses it."
  }
}

variable "endpoint" {
  description = "Address and port at which the control plane is reached, such as a virtual IP of the module `gateway-pair`: `10.0.0.100:6443`. It cannot be changed later."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9.-]+:[0-9]+$", var.endpoint))
    error_message = "endpoint is an address or a name with a port, such as \"10.0.0.100:6443\"."
  }
}

variable "kubernetes" {
  description = <<-EOT
    What kubeadm is told.

    - `version`: such as `v1.31.2`. Null takes the one of the installed kubeadm.
    - `pod_subnet`, `service_subnet`: networks inside the cluster, apart from the machines' own.
    - `pause_image`: what containerd takes for a pod's sandbox. Null takes containerd's own.
    - `reserved_cpus`: CPUs of a node for the system and the kubelet. With them, pods that ask for whole CPUs get them to themselves, as the machine has its own of the host.
  EOT
  type = object({
    version        = optional(string)
    pod_subnet     = optional(string, "10.244.0.0/16")
    service_subnet = optional(string, "10.96.0.0/12")
    pause_image    = optional(string)
    reserved_cpus  = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.kubernetes.version == null || can(regex("^v1\\.[0-9]+\\.[0-9]+$", var.kubernetes.version))
    error_message = "kubernetes.version is such as \"v1.31.2\"."
  }

  validation {
    condition     = can(cidrhost(var.kubernetes.pod_subnet, 0)) && can(cidrhost(var.kubernetes.service_subnet, 0))
    error_message = "kubernetes.pod_subnet and kubernetes.service_subnet are in CIDR notation, such as \"10.244.0.0/16\"."
  }

  validation {
    condition     = var.kubernetes.reserved_cpus == null || can(regex("^[0-9]+([,-][0-9]+)*$", var.kubernetes.reserved_cpus))
    error_message = "kubernetes.reserved_cpus is a set of the node's own CPUs, such as \"0\" or \"0-1\"."
  }
}

variable "labels" {
  description = "Further labels of each node, by machine. A node's host is its `topology.kubernetes.io/zone` already."
  type        = map(map(string))
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.labels), keys(var.machines))) == 0
    error_message = "labels names what is not in machines: ${join(", ", setsubtract(keys(var.labels), keys(var.machines)))}."
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
  description = "Debian packages that cloud-init installs, beyond those of the image. Debian has no kubeadm of its own: give a repository that has it."
  type        = list(string)
  default     = ["containerd", "conntrack", "ebtables", "ethtool", "socat", "kubeadm", "kubelet", "kubectl"]
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
