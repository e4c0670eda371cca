# What somebody must know of. Each alert is a question in PromQL that has an answer only when
# something is wrong, how long it must stay so, and what to do then. docs/operations.md has the same
# runbooks at length, under the same names.

locals {
  run    = "monitored_resource=\"cloud_run_revision\",service_name=~\"phoenix-.*\""
  public = "monitored_resource=\"cloud_run_revision\",service_name=~\"${join("|", [for s in local.http : s.name])}\""

  # The share of its maximum that a service uses, service by service.
  near_maximum = join(" or ", [
    for function, s in local.services :
    "sum(max_over_time(run_googleapis_com:container_instance_count{${local.run},service_name=\"${s.name}\"}[5m])) > ${0.8 * s.max_instances * length([for p in local.placements : p if p.function == function])}"
    if s.max_instances > 5 # one that is small is always near it
  ])

  alerts = {
    server_errors = {
      name     = "Requests fail"
      severity = "CRITICAL"
      query    = "sum by (service_name) (rate(run_googleapis_com:request_count{${local.public},response_code_class=\"5xx\"}[5m])) / sum by (service_name) (rate(run_googleapis_com:request_count{${local.public}}[5m])) > 0.02"
      duration = "300s"
      runbook  = "More than 2 % of a service's requests end in 5xx. Look at its ERROR lines in Logs Explorer, oldest first. 502 and 504 are the model's or Firestore's: see their status pages. 500 is our mistake: if it began with a deploy, roll that back (`make rollback FUNCTION=...`)."
    }
    capacity = {
      name     = "No capacity left"
      severity = "CRITICAL"
      query    = "sum by (service_name) (rate(run_googleapis_com:request_count{${local.public},response_code=\"503\"}[5m])) > 0.2 or sum by (service_name) (rate(logging_googleapis_com:user_phoenix_full_services{${local.public}}[5m])) > 0.2"
      duration = "300s"
      runbook  = "Requests are answered 503 by instances that are full, or turned away by Cloud Run (429) since there are no more. Check that budget_guard has not lowered the limit (its NOTICE lines), then that the model is not slow. If there is simply more to do, raise max_instances for the service or go to the next phase."
    }
    latency = {
      name     = "Requests are slow"
      severity = "WARNING"
      query    = "histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:request_latencies_bucket{${local.public}}[10m]))) > 15000"
      duration = "600s"
      runbook  = "The 95th percentile of a service is above 15 s. generate_image waits for the model: compare with the model's own latency in Vertex AI. submit_video and feed wait for Redis and Firestore: compare with their charts on the dashboard."
    }
    instances = {
      name     = "Instances near their maximum"
      severity = "WARNING"
      query    = local.near_maximum
      duration = "600s"
      runbook  = "A service runs more than 80 % of the instances that it may have. That is no failure yet. If it is not one client's doing, raise max_instances before it becomes `No capacity left`, and ask for a higher model quota with it."
    }
    queue_depth = {
      name     = "Videos pile up"
      severity = "WARNING"
      query    = "histogram_quantile(0.99, sum by (le) (rate(logging_googleapis_com:user_phoenix_queue_depth_bucket{${local.run}}[10m]))) > ${20 * local.services["video_worker"].max_instances}"
      duration = "900s"
      runbook  = "Twenty videos wait for each worker. `phoenixctl queue status` says whose they are. If workers succeed, allow more of them (max_instances of video_worker, and the model's quota). If they fail, see `Workers fail`."
    }
    queue_age = {
      name     = "A video waits too long"
      severity = "CRITICAL"
      query    = "histogram_quantile(0.99, sum by (le) (rate(logging_googleapis_com:user_phoenix_queue_oldest_job_bucket{${local.run}}[10m]))) > 1800"
      duration = "300s"
      runbook  = "The oldest job has waited for half an hour. See that video_worker has instances and takes events (subscription phoenix-video-push), that Cloud Scheduler's phoenix-sweep runs, and that Redis can be reached."
    }
    queue_silence = {
      name     = "Nobody looks after the queue"
      severity = "CRITICAL"
      query    = "absent_over_time(logging_googleapis_com:user_phoenix_queue_depth_count{${local.run}}[15m])"
      duration = "300s"
      runbook  = "No worker has reported on the queue for 15 minutes: none runs, or the sweep does not reach them. Check Cloud Scheduler's phoenix-sweep, the subscription phoenix-video-push, and the start of video_worker's newest revision."
    }
    dead_letters = {
      name     = "Events were given up"
      severity = "WARNING"
      query    = "sum by (subscription_id) (max_over_time(pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",subscription_id=~\"phoenix-.*-dead\"}[5m])) > 0"
      duration = "0s"
      runbook  = "A function refused an event until Pub/Sub gave it up. Read it (`gcloud pubsub subscriptions pull phoenix-TOPIC-dead`), find the function's ERROR line of that time, mend the cause, and publish it again if it still matters. Dead jobs of the queue itself are in `phoenixctl dead list`."
    }
    workers = {
      name     = "Workers fail"
      severity = "WARNING"
      query    = "sum(rate(logging_googleapis_com:user_phoenix_worker_failures{${local.run}}[10m])) * 600 > 5"
      duration = "0s"
      runbook  = "More than five jobs have failed in ten minutes, or video_worker itself has. Jobs are tried again and refunded at last, so nothing is lost. Read its WARNING and ERROR lines: the model, R2 or Redis."
    }
    redis_memory = {
      name     = "Redis fills up"
      severity = "WARNING"
      query    = "max(redis_googleapis_com:stats_memory_usage_ratio{monitored_resource=\"redis_instance\"}) > 0.8"
      duration = "600s"
      runbook  = "Redis uses more than 80 % of its memory; when it is full, new videos are refused. See with `phoenixctl queue status` whether jobs pile up. Otherwise give it more memory (redis.memory_gb; with STANDARD_HA without an interruption)."
    }
    redis_down = {
      name     = "Redis does not answer"
      severity = "CRITICAL"
      query    = "absent_over_time(redis_googleapis_com:server_uptime{monitored_resource=\"redis_instance\"}[10m])"
      duration = "0s"
      runbook  = "There has been no sign of life from Redis for ten minutes. Look at the instance in the console. Videos that were accepted are safe in Firestore; when Redis is back, and even if it is empty, workers rebuild the queue."
    }
    firestore = {
      name     = "Firestore fails"
      severity = "CRITICAL"
      query    = "sum(rate(logging_googleapis_com:user_phoenix_firestore_failures{${local.run}}[5m])) * 300 > 20"
      duration = "300s"
      runbook  = "Documents cannot be read or written. FAILED_PRECONDITION with `requires an index`: an index is missing in terraform/firestore_indexes.auto.tfvars.json. RESOURCE_EXHAUSTED or ABORTED: one document is written too often. Otherwise see Google Cloud's status page."
    }
    model_quota = {
      name     = "The model's quota is used up"
      severity = "WARNING"
      query    = "sum(rate(logging_googleapis_com:user_phoenix_model_rate_refusals{${local.run}}[5m])) * 300 > 10"
      duration = "300s"
      runbook  = "Vertex AI answers 429: more requests than the quota allows (about 10 a second at first). Ask for more under IAM & Admin, Quotas; it costs nothing and takes some days. Until then requests are tried again, and some are refused."
    }
    guard = {
      name     = "budget_guard fails"
      severity = "CRITICAL"
      query    = "sum(rate(logging_googleapis_com:user_phoenix_guard_failures{${local.run}}[30m])) * 1800 > 0"
      duration = "0s"
      runbook  = "A notice of the budget could not be acted upon, so nobody limits what is spent. Read its ERROR line: 403 is a role that is missing, garbage is a new form of notice. Until it is mended, lower max_instances by hand in the manifest and apply."
    }
    throttled = {
      name     = "The budget is spent"
      severity = "WARNING"
      query    = "sum(rate(logging_googleapis_com:user_phoenix_limits_changed{${local.run}}[10m])) * 600 > 0"
      duration = "0s"
      runbook  = "budget_guard has changed limits of instances: lowered them, because the month's budget is spent, or restored them. To go on at full size, raise budget_usd and apply: the next notice, within the hour, restores all."
    }
    down = {
      name     = "Phoenix cannot be reached"
      severity = "CRITICAL"
      query    = "avg_over_time(monitoring_googleapis_com:uptime_check_check_passed{monitored_resource=\"uptime_url\",check_id=\"${google_monitoring_uptime_check_config.page.uptime_check_id}\"}[5m]) < 0.5"
      duration = "120s"
      runbook  = "The page does not load from outside. Try it yourself. If the service's own address works (`gcloud run services describe phoenix-feed`), look at what stands in front: certificate, DNS, load balancer or Worker. If not, look at the newest revision of feed."
    }
  }
}

resource "google_monitoring_notification_channel" "email" {
  display_name = "Phoenix operators"
  type         = "email"
  labels       = { email_address = var.alert_email }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  display_name          = "Phoenix: ${each.value.name}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = each.value.name
    condition_prometheus_query_language {
      query                     = each.value.query
      duration                  = each.value.duration
      evaluation_interval       = "60s"
      disable_metric_validation = true # most have had no values when this is built
    }
  }

  documentation {
    subject   = "Phoenix: ${each.value.name}"
    content   = each.value.runbook
    mime_type = "text/markdown"
  }

  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [google_logging_metric.counter, google_logging_metric.gauge]
}

resource "google_monitoring_uptime_check_config" "page" {
  display_name = "Phoenix: the page"
  period       = "60s"
  timeout      = "10s"

  monitored_resource {
    type   = "uptime_url"
    labels = { project_id = var.project, host = var.domain }
  }
  http_check {
    path         = "/api/feed?limit=1"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }

  depends_on = [google_project_service.this]
}
