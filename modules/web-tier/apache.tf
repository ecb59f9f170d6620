# Apache with as many workers as the memory holds: one more than that and the machine swaps, which takes all of them down.

locals {
  mebibytes = { MiB = 1, GiB = 1024, TiB = 1048576 }
  sizes = merge(
    { for name, machine in var.machines : "machine ${name}" => machine.memory },
    { reserved = var.apache.reserved_memory, worker = local.worker_memory },
  )
  memory = { for name, size in local.sizes : name => tonumber(regex("^[0-9.]+", size)) * local.mebibytes[regex("[A-Za-z]+$", size)] }

  worker_memory = coalesce(var.apache.worker_memory, var.apache.php ? "64MiB" : "2MiB")

  # Processes of one worker each with PHP, which is not safe in threads; without it 25 threads in each process.
  threads = var.apache.php ? 1 : 25
  fitting = { for name in keys(var.machines) : name => max(0, floor((local.memory["machine ${name}"] - local.memory.reserved) / local.memory.worker)) }
  workers = { for name, fitting in local.fitting : name => floor(fitting / local.threads) * local.threads }
  short   = sort([for name, workers in local.workers : name if workers < 4 * local.threads])

  apache = {
    for name in keys(var.machines) : name => var.server != "apache" ? {} : merge(
      endswith(var.health_path, "/") ? {} : { "/var/www/html${var.health_path}" = "ok\n" },
      {
        "/etc/apache2/ports.conf" = "Listen ${var.port}\n"
        "/etc/apache2/sites-available/000-default.conf" = templatefile("${path.module}/templates/site.conf.tftpl", {
          port = var.port
        })
        "/etc/apache2/conf-available/web-tier.conf" = templatefile("${path.module}/templates/apache.conf.tftpl", {
          name         = name
          php          = var.apache.php
          workers      = local.workers[name]
          processes    = local.workers[name] / local.threads
          threads      = local.threads
          memory_limit = local.memory.worker
          timeout      = ceil(local.seconds.request)
        })
      },
    )
  }

  apache_commands = var.server != "apache" ? [] : [
    ["a2enconf", "web-tier"],
    ["systemctl", "enable", "apache2"],
    ["systemctl", "restart", "apache2"], # a package that has just been installed runs already
  ]
}
