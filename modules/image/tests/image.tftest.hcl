# An image on each host, and what is refused.

mock_provider "hypervisor" {}

variables {
  hosts   = ["alpha", "beta"]
  release = "2026-11"
  file    = "versions.tf" # any file: a plan reads its hash
}

run "an_image_on_each_host" {
  command = plan

  assert {
    condition     = join(",", keys(hypervisor_volume.image)) == "alpha,beta" && hypervisor_volume.image["beta"].host == "beta" && hypervisor_volume.image["beta"].name == "debian-12-2026-11.qcow2"
    error_message = "There is not one image on each host, named by its release."
  }

  assert {
    condition     = hypervisor_volume.image["alpha"].source.file == "versions.tf" && output.image.kind == "disk"
    error_message = "The image is not made from the file."
  }
}

run "an_archive_for_containers" {
  command = plan

  variables {
    kind     = "archive"
    file     = null
    url      = "https://images.example.com/debian-12.tar"
    checksum = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }

  assert {
    condition     = hypervisor_volume.image["alpha"].name == "debian-12-2026-11.tar" && hypervisor_volume.image["alpha"].format == "raw" && output.image.kind == "archive"
    error_message = "The archive is not a plain file under its own name."
  }
}

run "no_host" {
  command = plan

  variables {
    hosts = []
  }

  expect_failures = [var.hosts]
}

run "release_that_is_no_name" {
  command = plan

  variables {
    release = "November 2026"
  }

  expect_failures = [var.release]
}

run "unknown_kind" {
  command = plan

  variables {
    kind = "cdrom"
  }

  expect_failures = [var.kind]
}

run "file_and_address" {
  command = plan

  variables {
    url      = "https://images.example.com/debian-12.qcow2"
    checksum = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  }

  expect_failures = [var.file]
}

run "address_without_checksum" {
  command = plan

  variables {
    file = null
    url  = "https://images.example.com/debian-12.qcow2"
  }

  expect_failures = [var.url]
}
