# The queue of videos, shared pages and counters. Losing it loses no job: the queue is rebuilt from
# the documents. Snapshots make that rare. So nothing protects it: another tier is another instance.

resource "google_redis_instance" "this" {
  name                    = "phoenix"
  region                  = local.home
  redis_version           = "REDIS_7_2"
  tier                    = var.redis.tier
  memory_size_gb          = var.redis.memory_gb
  replica_count           = var.redis.replicas > 0 ? var.redis.replicas : null
  read_replicas_mode      = var.redis.replicas > 0 ? "READ_REPLICAS_ENABLED" : null
  authorized_network      = google_compute_network.this.id
  connect_mode            = "PRIVATE_SERVICE_ACCESS"
  auth_enabled            = true
  transit_encryption_mode = "SERVER_AUTHENTICATION"
  deletion_protection     = false

  # A queue must not forget: when memory is short, writes fail.
  redis_configs = { maxmemory-policy = "noeviction" }

  persistence_config {
    persistence_mode    = "RDB"
    rdb_snapshot_period = "ONE_HOUR"
  }

  maintenance_policy {
    weekly_maintenance_window {
      day = "TUESDAY"
      start_time {
        hours = 9
      }
    }
  }

  depends_on = [google_service_networking_connection.services]
}
