# Who votes, how large heaps are, and what each node is told.

mock_provider "hypervisor" {}

variables {
  machines = {
    search-1 = { placement = { host = "alpha", pins = ["2", "34"] }, address = "10.0.0.81/24", memory = "16GiB", data = { data = "100GiB" } }
    search-2 = { placement = { host = "beta", pins = ["2", "34"] }, address = "10.0.0.82/24", memory = "16GiB" }
    search-3 = { placement = { host = "gamma", pins = ["2", "34"] }, address = "10.0.0.83/24", memory = "128GiB" }
    search-4 = { placement = { host = "alpha", pins = ["3", "35"] }, address = "10.0.0.84/24", memory = "16GiB" }
  }
  image    = { volumes = { for host in ["alpha", "beta", "gamma", "delta"] : host => "${host}/default/debian-12.qcow2" } }
  network  = { bridge = "br0" }
  consul   = { files = { "/etc/consul.d/agent.json" = "{}" } }
  security = false
}

run "three_domains_vote" {
  command = plan

  assert {
    condition     = join(",", output.voters) == "search-1,search-2,search-3"
    error_message = "The voters are others: ${jsonencode(output.voters)}"
  }

  assert {
    condition     = yamldecode(output.files["search-4"]["/etc/elasticsearch/elasticsearch.yml"])["node.roles"] == ["data", "ingest"] && !can(yamldecode(output.files["search-4"]["/etc/elasticsearch/elasticsearch.yml"])["cluster.initial_master_nodes"])
    error_message = "A fourth node votes:\n${output.files["search-4"]["/etc/elasticsearch/elasticsearch.yml"]}"
  }

  assert {
    condition     = yamldecode(output.files["search-4"]["/etc/elasticsearch/elasticsearch.yml"])["discovery.seed_hosts"] == ["10.0.0.81", "10.0.0.82", "10.0.0.83"]
    error_message = "A node does not ask the voters:\n${output.files["search-4"]["/etc/elasticsearch/elasticsearch.yml"]}"
  }
}

run "copies_are_on_different_hosts" {
  command = plan

  variables {
    failure_domains = { alpha = "rack-1", beta = "rack-2", gamma = "rack-3" }
  }

  assert {
    condition = alltrue([for name, files in output.files : alltrue([
      yamldecode(files["/etc/elasticsearch/elasticsearch.yml"])["node.attr.host"] == var.machines[name].placement.host,
      yamldecode(files["/etc/elasticsearch/elasticsearch.yml"])["node.attr.domain"] == var.failure_domains[var.machines[name].placement.host],
      yamldecode(files["/etc/elasticsearch/elasticsearch.yml"])["cluster.routing.allocation.awareness.attributes"] == "domain,host",
    ])])
    error_message = "A node does not say where it is: ${jsonencode(output.files)}"
  }
}

run "heaps_are_half_and_below_31_gib" {
  command = plan

  assert {
    condition     = output.heap["search-1"] == 8192 && output.heap["search-3"] == 30720 && output.files["search-1"]["/etc/elasticsearch/jvm.options.d/heap.options"] == "-Xms8192m\n-Xmx8192m\n"
    error_message = "The heaps are others: ${jsonencode(output.heap)}"
  }
}

run "certificates_stay_out_of_the_state" {
  command = plan

  variables {
    security     = true
    certificates = { ca = "-----BEGIN CERTIFICATE-----\nthe-authority\n", certificate = "-----BEGIN CERTIFICATE-----\nthe-node\n", key = "-----BEGIN PRIVATE KEY-----\nthe-key\n" }
  }

  assert {
    condition     = !strcontains(jsonencode([output.files, local.user_data]), "the-key") && yamldecode(output.files["search-1"]["/etc/elasticsearch/elasticsearch.yml"])["xpack.security.transport.ssl.key"] == "certs/node.key"
    error_message = "The key is in what stands in the state, or is not used."
  }
}
