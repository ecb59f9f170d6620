# What a map of machines becomes: volumes and machines on disks, or containers of an archive.

mock_provider "hypervisor" {}

variables {
  machines = {
    db-1 = {
      placement = { host = "alpha", pins = ["2", "34"], emulator = "0,32", memory = "8GiB", nodes = [0], page_size = null }
      address   = "10.0.0.61/24"
      memory    = "8GiB"
      root      = "20GiB"
      data      = { mysql = "50GiB" }
    }
    db-2 = {
      placement = { host = "beta", pins = ["3", "35"] }
      address   = "10.0.0.62/24"
      memory    = "8GiB"
    }
  }
  image   = { volumes = { alpha = "alpha/default/debian-12.qcow2", beta = "beta/default/debian-12.qcow2" } }
  network = { bridge = "br0", gateway = "10.0.0.1", nameservers = ["10.0.0.1"] }
}

run "machines_with_disks" {
  command = plan

  variables {
    user_data    = { db-1 = "#cloud-config\nruncmd: []\n" }
    wait_for     = { port = 3306 }
    drain        = { services = ["mysql-reader"], wait = "5s" }
    allow_change = "reboot"
    pool         = "fast"
    timeouts     = { create = "20m" }
  }

  assert {
    condition = alltrue([
      for name, host in { db-1 = "alpha", db-2 = "beta" } :
      hypervisor_volume.root[name].host == host && hypervisor_volume.root[name].backing == "${host}/default/debian-12.qcow2" &&
      hypervisor_volume.root[name].pool == "fast"
    ])
    error_message = "A machine's root is not an overlay on the image of its host."
  }

  assert {
    condition     = hypervisor_volume.root["db-1"].size == "20GiB" && hypervisor_volume.root["db-2"].size == "10GiB"
    error_message = "The sizes of the system's disks are not the given one and the default."
  }

  assert {
    condition     = join(",", keys(hypervisor_volume.data)) == "db-1/mysql" && hypervisor_volume.data["db-1/mysql"].protected && hypervisor_volume.data["db-1/mysql"].host == "alpha" && hypervisor_volume.data["db-1/mysql"].name == "db-1-mysql.qcow2"
    error_message = "The data disk is not a protected volume of its own."
  }

  assert {
    condition     = join(",", keys(hypervisor_vm.machine["db-1"].disks)) == "mysql,root" && join(",", keys(hypervisor_vm.machine["db-2"].disks)) == "root"
    error_message = "The machines do not have the disks that were asked for."
  }

  assert {
    condition = (
      hypervisor_vm.machine["db-1"].placement.host == "alpha" && hypervisor_vm.machine["db-1"].placement.pins == tolist(["2", "34"]) &&
      hypervisor_vm.machine["db-1"].container == null && hypervisor_vm.machine["db-1"].allow_change == "reboot"
    )
    error_message = "The machine is not where the placement says: ${jsonencode(hypervisor_vm.machine["db-1"].placement)}"
  }

  assert {
    condition = (
      hypervisor_vm.machine["db-1"].cloud_init.network.lan.addresses == tolist(["10.0.0.61/24"]) &&
      hypervisor_vm.machine["db-1"].cloud_init.network.lan.gateway == "10.0.0.1" &&
      hypervisor_vm.machine["db-1"].cloud_init.network.lan.nameservers == tolist(["10.0.0.1"]) &&
      hypervisor_vm.machine["db-1"].cloud_init.user_data == "#cloud-config\nruncmd: []\n" && hypervisor_vm.machine["db-2"].cloud_init.user_data == null
    )
    error_message = "The seed does not have the address and the user data: ${jsonencode(hypervisor_vm.machine["db-1"].cloud_init)}"
  }

  assert {
    condition     = hypervisor_vm.machine["db-2"].wait_for.tcp == "10.0.0.62:3306" && hypervisor_vm.machine["db-2"].drain.wait == "5s"
    error_message = "The machine is not waited for at its own address, or not drained."
  }

  assert {
    condition     = output.machines["db-2"].host == "beta" && output.machines["db-2"].address == "10.0.0.62"
    error_message = "The output does not say where the machine is."
  }
}

run "containers_of_an_archive" {
  command = plan

  variables {
    image = { kind = "archive", volumes = { alpha = "alpha/default/debian-12.tar", beta = "beta/default/debian-12.tar" } }
  }

  assert {
    condition     = length(hypervisor_volume.root) == 0 && length(hypervisor_volume.data) == 0
    error_message = "A container has no disks."
  }

  assert {
    condition = (
      hypervisor_vm.machine["db-1"].container.archive == "alpha/default/debian-12.tar" && hypervisor_vm.machine["db-1"].host == "alpha" &&
      hypervisor_vm.machine["db-1"].cpu.count == 2 && hypervisor_vm.machine["db-1"].placement == null && hypervisor_vm.machine["db-1"].disks == null
    )
    error_message = "The machine is not a container of the archive."
  }
}

run "a_stopped_machine" {
  command = plan

  variables {
    stopped = ["db-2"]
  }

  assert {
    condition     = hypervisor_vm.machine["db-1"].running && !hypervisor_vm.machine["db-2"].running
    error_message = "The machine that is stopped runs, or the other one does not."
  }
}

run "secrets_with_a_version" {
  command = plan

  variables {
    secrets         = { db-1 = "#cloud-config\nruncmd: []\n", db-2 = "#cloud-config\nruncmd: []\n" }
    secrets_version = 3
  }

  assert {
    condition     = hypervisor_vm.machine["db-1"].cloud_init.user_data_wo_version == 3 && hypervisor_vm.machine["db-1"].cloud_init.user_data == null
    error_message = "The secrets are not what the version stands for."
  }
}
