# The functions, each a Cloud Run service in each of its regions.

resource "google_cloud_run_v2_service" "function" {
  for_each = local.placements

  name                = each.value.service.name
  location            = each.value.region
  deletion_protection = var.deletion_protection
  ingress = (
    each.value.service.events != null ? "INGRESS_TRAFFIC_INTERNAL_ONLY" :
    local.has_load_balancer ? "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" :
    "INGRESS_TRAFFIC_ALL"
  )

  template {
    service_account                  = google_service_account.function[each.value.function].email
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    max_instance_request_concurrency = each.value.service.concurrency
    timeout                          = "${each.value.service.timeout_s}s"

    # Instances read secrets when they start: for each new version of one there is a new revision.
    annotations = {
      for name in setintersection(local.reads[each.value.function], local.secret_names) :
      lower(replace(name, "_", "-")) => local.secret_versions[name]
    }

    scaling {
      min_instance_count = each.value.service.min_instances
      max_instance_count = each.value.service.max_instances
    }

    containers {
      image = lookup(var.images, each.value.function, "us-docker.pkg.dev/cloudrun/container/hello")

      resources {
        limits = {
          cpu    = tostring(each.value.service.cpu)
          memory = each.value.service.memory
        }
        cpu_idle          = true # no request, no CPU, no bill
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = local.plain[each.value.function]
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "env" {
        for_each = local.secret[each.value.function]
        content {
          name = env.value
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.this[env.value].secret_id
              version = "latest"
            }
          }
        }
      }

      dynamic "volume_mounts" {
        for_each = contains(local.reads[each.value.function], "REDIS_CA_FILE") ? [local.redis_ca_folder] : []
        content {
          name       = "redis-ca"
          mount_path = volume_mounts.value
        }
      }

      # Functions listen within milliseconds.
      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 30
        http_get {
          path = local.probe_path
        }
      }
      liveness_probe {
        period_seconds    = 15
        timeout_seconds   = 5
        failure_threshold = 3
        http_get {
          path = local.probe_path
        }
      }
    }

    dynamic "volumes" {
      for_each = contains(local.reads[each.value.function], "REDIS_CA_FILE") ? ["redis-ca"] : []
      content {
        name = volumes.value
        secret {
          secret = google_secret_manager_secret.this["REDIS_CA_FILE"].secret_id
          items {
            path    = "ca.pem"
            version = "latest"
          }
        }
      }
    }

    dynamic "vpc_access" {
      for_each = contains(local.reads[each.value.function], "REDIS_URL") ? [each.value.region] : []
      content {
        egress = "PRIVATE_RANGES_ONLY"
        network_interfaces {
          network    = google_compute_network.this.id
          subnetwork = google_compute_subnetwork.run[vpc_access.value].id
        }
      }
    }
  }

  # The image and how traffic is divided are the delivery's; the service's own limit, beside that of
  # its revisions above, is budget_guard's.
  lifecycle {
    ignore_changes = [client, client_version, scaling, traffic, template[0].revision, template[0].containers[0].image]
  }

  depends_on = [google_secret_manager_secret_iam_member.reader]
}

# Everybody may call what serves HTTP. What events wake is called by Pub/Sub alone: see events.tf.
resource "google_cloud_run_v2_service_iam_member" "public" {
  for_each = { for key, placement in local.placements : key => placement if placement.service.events == null }

  name     = google_cloud_run_v2_service.function[each.key].name
  location = each.value.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}
