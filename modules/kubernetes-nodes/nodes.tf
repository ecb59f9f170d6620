# What stands on each node: all that kubeadm's checks ask for, and its own configuration.

locals {
  addresses = { for name, machine in var.machines : name => split("/", machine.address)[0] }

  labels = {
    for name, machine in var.machines : name => merge({ "topology.kubernetes.io/zone" = machine.placement.host }, lookup(var.labels, name, {}))
  }

  arguments = {
    for name in keys(var.machines) : name => join(" ", concat(
      ["--node-ip=${local.addresses[name]}", "--node-labels=${join(",", [for label, value in local.labels[name] : "${label}=${value}"])}"],
      var.kubernetes.reserved_cpus == null ? [] : ["--reserved-cpus=${var.kubernetes.reserved_cpus}", "--cpu-manager-policy=static"],
    ))
  }

  kubeadm = {
    for name in var.control_plane : name => join("---\n", [
      yamlencode({
        apiVersion       = "kubeadm.k8s.io/v1beta3"
        kind             = "InitConfiguration"
        localAPIEndpoint = { advertiseAddress = local.addresses[name], bindPort = 6443 }
        nodeRegistration = { name = name, criSocket = "unix:///run/containerd/containerd.sock" }
      }),
      yamlencode(merge(
        {
          apiVersion           = "kubeadm.k8s.io/v1beta3"
          kind                 = "ClusterConfiguration"
          controlPlaneEndpoint = var.endpoint
          networking           = { podSubnet = var.kubernetes.pod_subnet, serviceSubnet = var.kubernetes.service_subnet }
        },
        { for key in ["kubernetesVersion"] : key => var.kubernetes.version if var.kubernetes.version != null },
      )),
    ])
  }

  files = {
    for name in keys(var.machines) : name => merge(
      var.consul.files,
      {
        "/etc/modules-load.d/kubernetes.conf" = "overlay\nbr_netfilter\n"
        "/etc/sysctl.d/60-kubernetes.conf"    = "net.bridge.bridge-nf-call-iptables = 1\nnet.bridge.bridge-nf-call-ip6tables = 1\nnet.ipv4.ip_forward = 1\n"
        "/etc/crictl.yaml"                    = "runtime-endpoint: unix:///run/containerd/containerd.sock\n"
        "/etc/default/kubelet"                = "KUBELET_EXTRA_ARGS=${local.arguments[name]}\n"
        "/etc/containerd/config.toml"         = templatefile("${path.module}/templates/containerd.toml.tftpl", { pause_image = var.kubernetes.pause_image })
      },
      { for path in ["/etc/kubernetes/kubeadm.yaml"] : path => local.kubeadm[name] if contains(var.control_plane, name) },
    )
  }

  commands = concat(
    [
      ["swapoff", "--all"],
      ["systemctl", "mask", "swap.target"],
      ["modprobe", "--all", "overlay", "br_netfilter"],
      ["sysctl", "--system"],
      ["systemctl", "enable", "containerd"],
      ["systemctl", "restart", "containerd"],
    ],
    length(var.consul.files) == 0 ? [] : [["systemctl", "enable", "--now", "consul"]],
  )
}
