output "machines" {
  description = "By machine: its `host`, its `address` without the prefix length, and its `id`."
  value       = module.machines.machines
}

output "control_plane" {
  description = "The machines that run the control plane. `kubeadm init --config /etc/kubernetes/kubeadm.yaml --upload-certs` on the first of them begins the cluster."
  value       = sort(tolist(var.control_plane))
}

output "workers" {
  description = "All other machines."
  value       = sort(tolist(setsubtract(keys(var.machines), var.control_plane)))
}

output "files" {
  description = "By machine: the content of each file that is written, by path, without secrets."
  value       = local.files
}
