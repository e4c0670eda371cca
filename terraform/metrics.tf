# Numbers that only our own logs know: each is a counter of lines, or the number in a line.

locals {
  # Once a minute a worker logs: "queue: 12 jobs wait, the oldest for 34 s".
  queue_line = "resource.type=\"cloud_run_revision\" AND jsonPayload.message:\" jobs wait, the oldest for \""

  counters = {
    worker_failures     = "resource.labels.service_name=\"${local.services["video_worker"].name}\" AND (severity>=ERROR OR jsonPayload.message:\"failed, and is tried again\")"
    firestore_failures  = "resource.type=\"cloud_run_revision\" AND jsonPayload.message:\"firestore: \" AND severity>=WARNING"
    full_services       = "resource.type=\"cloud_run_revision\" AND textPayload:\"no available instance\""
    guard_failures      = "resource.labels.service_name=\"${local.services["budget_guard"].name}\" AND severity>=ERROR"
    limits_changed      = "resource.labels.service_name=\"${local.services["budget_guard"].name}\" AND jsonPayload.message:\" instances, after \""
    model_failures      = "resource.type=\"cloud_run_revision\" AND jsonPayload.message=~\"(gemini|imagen|veo).*: \" AND severity>=WARNING"
    model_rate_refusals = "resource.type=\"cloud_run_revision\" AND jsonPayload.message:\"model has no capacity left at the moment\""
  }

  gauges = {
    queue_depth      = "REGEXP_EXTRACT(jsonPayload.message, \"queue: ([0-9]+) jobs\")"
    queue_oldest_job = "REGEXP_EXTRACT(jsonPayload.message, \"oldest for ([0-9]+) s\")"
  }
}

resource "google_logging_metric" "counter" {
  for_each = local.counters

  name   = "phoenix_${each.key}"
  filter = each.value

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.this]
}

resource "google_logging_metric" "gauge" {
  for_each = local.gauges

  name            = "phoenix_${each.key}"
  filter          = local.queue_line
  value_extractor = each.value

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
  }
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 32
      growth_factor      = 1.5
      scale              = 1
    }
  }

  depends_on = [google_project_service.this]
}
