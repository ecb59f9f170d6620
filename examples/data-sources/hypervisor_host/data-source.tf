data "hypervisor_host" "alpha" {
  name = "alpha"
}

output "nodes" {
  description = "CPUs and memory of each NUMA node."
  value       = [for node in data.hypervisor_host.alpha.facts.nodes : "node ${node.id}: CPUs ${node.cpus}, ${node.memory}"]
}

output "siblings" {
  description = "Threads that share a core: a machine that is to be undisturbed gets both."
  value       = flatten([for node in data.hypervisor_host.alpha.facts.nodes : node.cores])
}

output "pinned" {
  description = "CPUs that are taken, by machine."
  value = {
    for name, pin in merge(data.hypervisor_host.alpha.facts.pins, data.hypervisor_host.alpha.usage.pins) : name => pin.vcpus
  }
}
