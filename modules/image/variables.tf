variable "hosts" {
  description = "Names of the hosts that get the image, as in the provider block."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.hosts) > 0
    error_message = "hosts has at least one host."
  }
}

variable "release" {
  description = "Which build of the image this is, such as `2026-11`. Raise it with each one: machines stand on the image that they were made from, so it must never change under its name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]*$", var.release))
    error_message = "release has lower-case letters, digits, dots and hyphens, such as \"2026-11\"."
  }
}

variable "kind" {
  description = "`disk` for machines (`debian-12.qcow2`), or `archive` for hosts of containers (`debian-12.tar`)."
  type        = string
  default     = "disk"
  nullable    = false

  validation {
    condition     = contains(["disk", "archive"], var.kind)
    error_message = "kind is \"disk\" or \"archive\"."
  }
}

variable "file" {
  description = "Path of the image where Terraform runs, as the recipe makes it."
  type        = string
  default     = null

  validation {
    condition     = (var.file == null) != (var.url == null)
    error_message = "The image comes from file or from url, and not from both."
  }
}

variable "url" {
  description = "Address that each host's image is downloaded from, by way of where Terraform runs."
  type        = string
  default     = null

  validation {
    condition     = var.url == null || var.checksum != null
    error_message = "url needs a checksum, such as \"sha256:0123...\"."
  }
}

variable "checksum" {
  description = "Checksum of what `url` gives: `sha256:` or `sha512:` and the sum."
  type        = string
  default     = null
}

variable "sha256" {
  description = "SHA-256 of the image, if another `file` is to be refused."
  type        = string
  default     = null
}

variable "name" {
  description = "What the volume's name begins with."
  type        = string
  default     = "debian-12"
  nullable    = false
}

variable "pool" {
  description = "Storage pool of the hosts. On hosts of containers it has to be one of folders."
  type        = string
  default     = "default"
  nullable    = false
}
