# What each machine is told.

mock_provider "hypervisor" {}

variables {
  machines = {
    docker-1 = { placement = { host = "alpha", pins = ["0", "1"] }, address = "10.0.0.91/24", memory = "4GiB" }
    docker-2 = { placement = { host = "beta", pins = ["2", "3"] }, address = "10.0.0.92/24", memory = "4GiB" }
    docker-3 = { placement = { host = "gamma", pins = ["4", "5"] }, address = "10.0.0.93/24", memory = "4GiB" }
    docker-4 = { placement = { host = "alpha", pins = ["6", "7"] }, address = "10.0.0.94/24", memory = "4GiB" }
  }
  image    = { volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.qcow2" } }
  network  = { bridge = "br0" }
  managers = ["docker-1", "docker-2", "docker-3"]
}

run "ready_for_a_swarm" {
  command = plan

  assert {
    condition     = output.managers == { docker-1 = "10.0.0.91", docker-2 = "10.0.0.92", docker-3 = "10.0.0.93" } && join(",", output.workers) == "docker-4"
    error_message = "The parts are ${jsonencode(output.managers)} and ${jsonencode(output.workers)}."
  }

  assert {
    condition     = jsondecode(output.files["docker-4"]["/etc/docker/daemon.json"]).labels == ["host=alpha"] && !jsondecode(output.files["docker-4"]["/etc/docker/daemon.json"]).live-restore
    error_message = "Docker is told something else: ${output.files["docker-4"]["/etc/docker/daemon.json"]}"
  }
}

run "without_a_swarm_containers_outlive_the_daemon" {
  command = plan

  variables {
    managers = []
    docker   = { settings = { max-concurrent-downloads = 2 } }
  }

  assert {
    condition     = jsondecode(output.files["docker-1"]["/etc/docker/daemon.json"]).live-restore && join(",", output.workers) == "docker-1,docker-2,docker-3,docker-4"
    error_message = "A restart of Docker stops what runs: ${output.files["docker-1"]["/etc/docker/daemon.json"]}"
  }

  assert {
    condition     = contains(yamldecode(trimprefix(local.user_data["docker-1"], "#cloud-config\n")).packages, "docker.io")
    error_message = "Docker is not installed:\n${local.user_data["docker-1"]}"
  }
}
