# What stands on each node.

locals {
  mebibytes = { MiB = 1, GiB = 1024, TiB = 1048576 }
  memory    = { for name, machine in var.machines : name => tonumber(regex("^[0-9.]+", machine.memory)) * local.mebibytes[regex("[A-Za-z]+$", machine.memory)] }
  heap      = { for name, memory in local.memory : name => var.heap == null ? min(floor(memory / 2), 30720) : tonumber(regex("^[0-9]+", var.heap)) * local.mebibytes[regex("[A-Za-z]+$", var.heap)] }

  # The first node of each of the first three failure domains votes: with more domains no more are needed.
  domains   = { for name, machine in var.machines : name => lookup(var.failure_domains, machine.placement.host, machine.placement.host) }
  by_domain = { for name, domain in local.domains : domain => name... }
  voters    = slice([for names in values(local.by_domain) : sort(names)[0]], 0, min(3, length(local.by_domain)))
  addresses = { for name, machine in var.machines : name => split("/", machine.address)[0] }

  tls = merge([for layer in ["transport", "http"] : {
    "xpack.security.${layer}.ssl.enabled"                 = true
    "xpack.security.${layer}.ssl.key"                     = "certs/node.key"
    "xpack.security.${layer}.ssl.certificate"             = "certs/node.crt"
    "xpack.security.${layer}.ssl.certificate_authorities" = ["certs/ca.crt"]
    "xpack.security.${layer}.ssl.verification_mode"       = "certificate"
  } if var.security]...)

  settings = {
    for name, machine in var.machines : name => merge(
      {
        "cluster.name"          = var.cluster
        "node.name"             = name
        "node.roles"            = contains(local.voters, name) ? ["master", "data", "ingest"] : ["data", "ingest"]
        "network.host"          = [local.addresses[name], "127.0.0.1"]
        "path.data"             = "/var/lib/elasticsearch"
        "path.logs"             = "/var/log/elasticsearch"
        "bootstrap.memory_lock" = true
        "discovery.seed_hosts"  = [for voter in local.voters : local.addresses[voter]]

        # Copies of a shard are on different hosts, and in different failure domains as long as there are enough.
        "node.attr.host"                                  = machine.placement.host
        "node.attr.domain"                                = local.domains[name]
        "cluster.routing.allocation.awareness.attributes" = "domain,host"

        "xpack.security.enabled" = var.security
      },
      # Read by a cluster that is yet to be formed, and by no other.
      { for setting in ["cluster.initial_master_nodes"] : setting => local.voters if contains(local.voters, name) },
      local.tls,
      var.settings,
    )
  }

  files = {
    for name in keys(var.machines) : name => merge(var.consul.files, {
      "/etc/elasticsearch/elasticsearch.yml"                    = yamlencode(local.settings[name])
      "/etc/elasticsearch/jvm.options.d/heap.options"           = "-Xms${local.heap[name]}m\n-Xmx${local.heap[name]}m\n"
      "/etc/sysctl.d/60-elasticsearch.conf"                     = "vm.max_map_count = 262144\nvm.swappiness = 1\n"
      "/etc/systemd/system/elasticsearch.service.d/memory.conf" = "[Service]\nLimitMEMLOCK=infinity\n"
      "/etc/consul.d/${var.cluster}.json" = jsonencode({
        service = {
          id      = name
          name    = var.cluster
          address = local.addresses[name]
          port    = 9200
          check   = { id = "${name}-tcp", name = "Elasticsearch answers", tcp = "${local.addresses[name]}:9200", interval = "5s", timeout = "2s" }
        }
      })
    })
  }

  commands = [
    ["sysctl", "--system"],
    ["chown", "-R", "root:elasticsearch", "/etc/elasticsearch"],
    ["chown", "elasticsearch:elasticsearch", "/var/lib/elasticsearch"],
    ["systemctl", "daemon-reload"],
    ["systemctl", "enable", "elasticsearch"],
    ["systemctl", "restart", "--no-block", "elasticsearch"], # a node waits for two others
    ["systemctl", "enable", "--now", "consul"],
  ]
}
