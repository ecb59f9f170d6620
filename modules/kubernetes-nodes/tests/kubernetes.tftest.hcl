# What each node finds before kubeadm runs.

mock_provider "hypervisor" {}

variables {
  machines = {
    node-1 = { placement = { host = "alpha", pins = ["0", "1"] }, address = "10.0.0.91/24", memory = "4GiB" }
    node-2 = { placement = { host = "beta", pins = ["2", "3"] }, address = "10.0.0.92/24", memory = "4GiB" }
    node-3 = { placement = { host = "gamma", pins = ["4", "5"] }, address = "10.0.0.93/24", memory = "4GiB" }
    node-4 = { placement = { host = "alpha", pins = ["6", "7"] }, address = "10.0.0.94/24", memory = "4GiB" }
    node-5 = { placement = { host = "beta", pins = ["8", "9"] }, address = "10.0.0.95/24", memory = "4GiB" }
  }
  image         = { volumes = { for host in ["alpha", "beta", "gamma"] : host => "${host}/default/debian-12.qcow2" } }
  network       = { bridge = "br0" }
  endpoint      = "10.0.0.100:6443"
  control_plane = ["node-1", "node-2", "node-3"]
}

run "control_plane_is_told_apart" {
  command = plan

  assert {
    condition     = join(",", output.control_plane) == "node-1,node-2,node-3" && join(",", output.workers) == "node-4,node-5"
    error_message = "The parts are ${jsonencode(output.control_plane)} and ${jsonencode(output.workers)}."
  }

  assert {
    condition     = yamldecode(split("---\n", output.files["node-2"]["/etc/kubernetes/kubeadm.yaml"])[1]).controlPlaneEndpoint == "10.0.0.100:6443" && !contains(keys(output.files["node-4"]), "/etc/kubernetes/kubeadm.yaml")
    error_message = "kubeadm is told something else: ${jsonencode(output.files)}"
  }
}

run "kubeadm_finds_nothing_to_refuse" {
  command = plan

  variables {
    kubernetes = { version = "v1.31.2", pause_image = "registry.k8s.io/pause:3.10", reserved_cpus = "0" }
    labels     = { node-4 = { disk = "fast" } }
  }

  assert {
    condition = alltrue([for name, files in output.files : alltrue([
      strcontains(files["/etc/modules-load.d/kubernetes.conf"], "br_netfilter\n"),
      strcontains(files["/etc/sysctl.d/60-kubernetes.conf"], "net.ipv4.ip_forward = 1\n"),
      strcontains(files["/etc/containerd/config.toml"], "SystemdCgroup = true\n"),
      strcontains(files["/etc/containerd/config.toml"], "sandbox_image = \"registry.k8s.io/pause:3.10\"\n"),
      contains(yamldecode(trimprefix(local.user_data[name], "#cloud-config\n")).runcmd, ["swapoff", "--all"]),
    ])])
    error_message = "A node lacks what kubeadm asks for: ${jsonencode(output.files)}"
  }

  assert {
    condition     = output.files["node-4"]["/etc/default/kubelet"] == "KUBELET_EXTRA_ARGS=--node-ip=10.0.0.94 --node-labels=disk=fast,topology.kubernetes.io/zone=alpha --reserved-cpus=0 --cpu-manager-policy=static\n"
    error_message = "The kubelet is told something else: ${output.files["node-4"]["/etc/default/kubelet"]}"
  }
}

run "an_agent_of_consul_has_its_secrets" {
  command = plan

  variables {
    consul          = { files = { "/etc/consul.d/agent.json" = "{}" } }
    consul_secrets  = { "/etc/consul.d/secret.json" = "the-secret" }
    secrets_version = 1
  }

  assert {
    condition     = !strcontains(jsonencode([output.files, local.user_data]), "the-secret") && contains(keys(output.files["node-1"]), "/etc/consul.d/agent.json")
    error_message = "The agent's files are not where they belong: ${jsonencode(output.files)}"
  }
}
