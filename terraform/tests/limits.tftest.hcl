# What the scaling document says, as the plan has it. Providers are mocked: nothing is asked.

mock_provider "google" {}
mock_provider "cloudflare" {}

variables {
  project               = "phoenix-example"
  project_number        = 123456789012
  domain                = "phoenix.example.com"
  media_domain          = "media.example.com"
  cloudflare_account_id = "0123456789abcdef0123456789abcdef"
  cloudflare_zone_id    = "fedcba9876543210fedcba9876543210"
  billing_account       = "012345-6789AB-CDEF01"
  alert_email           = "operators@example.com"
  repository            = "example/phoenix"
  auth                  = { issuer = "https://issuer.example.com", audience = "phoenix" }
  secrets               = { S3_ACCESS_KEY_ID = "i", S3_SECRET_ACCESS_KEY = "s", CURSOR_KEY = "c" }
  redis                 = { tier = "BASIC", memory_gb = 1 }
  phase                 = { number = 1, name = "MVP", users = 100, images = 1, videos = 1, page_views = 1, cost_usd = [10, 50] }
}

run "first_phase" {
  command = plan

  # ---- Pictures 100 times 8

  assert {
    condition     = google_cloud_run_v2_service.function["generate_image"].name == "phoenix-generate-image"
    error_message = "The service has another name than the document gives it."
  }
  assert {
    condition     = google_cloud_run_v2_service.function["generate_image"].template[0].max_instance_request_concurrency == 8
    error_message = "generate_image does not serve 8 requests at once."
  }
  assert {
    condition     = google_cloud_run_v2_service.function["generate_image"].template[0].scaling[0].max_instance_count == 100
    error_message = "generate_image does not have at most 100 instances."
  }
  assert {
    condition     = google_cloud_run_v2_service.function["generate_image"].template[0].containers[0].resources[0].limits == tomap({ cpu = "1", memory = "1Gi" })
    error_message = "generate_image does not have 1 CPU and 1 GiB."
  }
  assert {
    condition     = output.limits.generate_image.at_once == 800
    error_message = "Fewer or more than 800 pictures at once."
  }

  # ---- Videos 10 times 1

  assert {
    condition     = google_cloud_run_v2_service.function["video_worker"].name == "phoenix-video-worker"
    error_message = "The service has another name than the document gives it."
  }
  assert {
    condition     = google_cloud_run_v2_service.function["video_worker"].template[0].max_instance_request_concurrency == 1
    error_message = "video_worker does not make one video at a time."
  }
  assert {
    condition     = google_cloud_run_v2_service.function["video_worker"].template[0].scaling[0] == { min_instance_count = 1, max_instance_count = 10 }
    error_message = "video_worker does not have 1 to 10 instances."
  }
  assert {
    condition     = google_cloud_run_v2_service.function["video_worker"].template[0].containers[0].resources[0].limits == tomap({ cpu = "2", memory = "4Gi" })
    error_message = "video_worker does not have 2 CPUs and 4 GiB."
  }

  # ---- Every function

  assert {
    condition     = alltrue([for s in google_cloud_run_v2_service.function : s.template[0].execution_environment == "EXECUTION_ENVIRONMENT_GEN2"])
    error_message = "A function is not in the second generation."
  }
  assert {
    condition     = alltrue([for s in google_cloud_run_v2_service.function : s.template[0].containers[0].resources[0].startup_cpu_boost && s.template[0].containers[0].resources[0].cpu_idle])
    error_message = "A function starts without boost, or is paid for while it idles."
  }
  assert {
    condition = alltrue([
      for s in google_cloud_run_v2_service.function :
      s.template[0].containers[0].startup_probe[0].http_get[0].path == "/probe" && s.template[0].containers[0].liveness_probe[0].http_get[0].path == "/probe"
    ])
    error_message = "A function is not asked whether it serves."
  }
  assert {
    condition = alltrue([
      for key, s in google_cloud_run_v2_service.function :
      { for e in s.template[0].containers[0].env : e.name => e.value }["REQUEST_TIMEOUT_S"] == trimsuffix(s.template[0].timeout, "s") &&
      { for e in s.template[0].containers[0].env : e.name => e.value }["MAX_CONCURRENCY"] == tostring(s.template[0].max_instance_request_concurrency)
    ])
    error_message = "A function is not told of its own limits."
  }
  assert {
    condition     = alltrue([for s in google_cloud_run_v2_service.function : s.deletion_protection])
    error_message = "A function can be deleted by mistake."
  }
  assert {
    condition     = length(distinct([for a in google_service_account.function : a.account_id])) == length(google_cloud_run_v2_service.function)
    error_message = "Two functions are the same somebody."
  }
  assert {
    condition = alltrue([
      for s in google_cloud_run_v2_service.function : alltrue([for v in s.template[0].vpc_access : v.egress == "PRIVATE_RANGES_ONLY"])
    ])
    error_message = "All that a function sends goes through the network of ours."
  }

  # ---- Nobody calls what events wake

  assert {
    condition     = toset(keys(google_cloud_run_v2_service_iam_member.public)) == toset([for key, s in var.services : key if s.events == null])
    error_message = "Another than the HTTP functions is public."
  }
  assert {
    condition = alltrue([
      for function in ["video_worker", "budget_guard"] :
      google_cloud_run_v2_service.function[function].ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY" &&
      !contains(keys(google_cloud_run_v2_service_iam_member.public), function)
    ])
    error_message = "A function that events wake can be called from outside."
  }
  assert {
    condition = alltrue([
      for topic, function in { video = "video_worker", budget = "budget_guard" } :
      google_cloud_run_v2_service_iam_member.push[topic].role == "roles/run.invoker" &&
      google_cloud_run_v2_service_iam_member.push[topic].name == google_cloud_run_v2_service.function[function].name &&
      google_service_account.push[topic].account_id == "phoenix-push-${topic}"
    ])
    error_message = "Events are not handed over by an identity of their own."
  }
  assert {
    condition = alltrue([
      for s in google_pubsub_subscription.push :
      length(s.dead_letter_policy) == 1 && length(s.push_config[0].oidc_token) == 1 && s.ack_deadline_seconds <= 600
    ])
    error_message = "A push has no dead letters, no identity, or more patience than Pub/Sub."
  }
  assert {
    condition     = google_pubsub_subscription.push["video"].ack_deadline_seconds == 600
    error_message = "A worker is rung for anew while it works."
  }
  assert {
    condition     = google_cloud_scheduler_job.sweep.schedule == "* * * * *"
    error_message = "The sweep does not come each minute."
  }

  # ---- Budget of 100

  assert {
    condition     = google_billing_budget.this.amount[0].specified_amount[0].units == "100"
    error_message = "A month may not cost 100."
  }
  assert {
    condition     = [for r in google_billing_budget.this.threshold_rules : r.threshold_percent] == [0.5, 0.8, 1]
    error_message = "Nobody is told at 50, 80 and 100 %."
  }
  assert {
    condition     = google_monitoring_notification_channel.email.type == "email" && length(google_billing_budget.this.all_updates_rule[0].schema_version) > 0
    error_message = "Nobody is told by e-mail."
  }
  assert {
    condition     = google_billing_budget.this.budget_filter[0].calendar_period == "MONTH"
    error_message = "The budget is not of a month."
  }
  assert {
    condition = toset(split(",", one([
      for e in google_cloud_run_v2_service.function["budget_guard"].template[0].containers[0].env : e.value if e.name == "GUARDED_SERVICES"
      ]))) == toset([
      for key, s in var.services : "projects/phoenix-example/locations/us-central1/services/${s.name}=${s.budget_floor}" if s.budget_floor != null
    ])
    error_message = "budget_guard does not guard what the manifest gives a floor."
  }
  assert {
    condition     = alltrue([for function, s in var.services : s.budget_floor != null || s.events == "budget"])
    error_message = "A function may spend without end."
  }

  # ---- Queue is private and kept

  assert {
    condition     = google_redis_instance.this.auth_enabled && google_redis_instance.this.transit_encryption_mode == "SERVER_AUTHENTICATION"
    error_message = "Redis asks for no password, or speaks in the clear."
  }
  assert {
    condition     = google_redis_instance.this.connect_mode == "PRIVATE_SERVICE_ACCESS" && google_redis_instance.this.persistence_config[0].persistence_mode == "RDB"
    error_message = "Redis can be reached from elsewhere, or forgets."
  }
  assert {
    condition     = google_redis_instance.this.redis_configs["maxmemory-policy"] == "noeviction"
    error_message = "Redis drops jobs when it is full."
  }

  assert {
    condition     = !google_redis_instance.this.deletion_protection
    error_message = "Redis cannot become that of the next phase."
  }

  # ---- Who is turned away

  assert {
    condition = alltrue([
      for name in ["server_errors", "capacity", "latency"] :
      strcontains(google_monitoring_alert_policy.this[name].conditions[0].condition_prometheus_query_language[0].query, "phoenix-generate-image|phoenix-submit-video") &&
      !strcontains(google_monitoring_alert_policy.this[name].conditions[0].condition_prometheus_query_language[0].query, "phoenix-.*")
    ])
    error_message = "Bells that find no worker free are taken for people."
  }
  assert {
    condition     = !strcontains(google_monitoring_alert_policy.this["capacity"].conditions[0].condition_prometheus_query_language[0].query, "429")
    error_message = "Who asks too often is taken for a lack of capacity."
  }

  # ---- Documents are kept

  assert {
    condition     = google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_ENABLED" && google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    error_message = "Documents can be lost by mistake."
  }
  assert {
    condition     = google_firestore_backup_schedule.daily.retention == "604800s" && google_firestore_backup_schedule.weekly.retention == "8467200s"
    error_message = "Backups are not kept for 7 days and 14 weeks."
  }
  assert {
    condition     = toset([for field in google_firestore_field.expiry : field.collection if field.field == "expires_at" && length(field.ttl_config) == 1]) == toset(["idempotency", "repeats"])
    error_message = "What is remembered for a while is never forgotten."
  }
  assert {
    condition     = length(google_firestore_index.this) == length(var.firestore_indexes)
    error_message = "An index is left out."
  }

  # ---- Pictures are public and videos of veo are not

  assert {
    condition     = cloudflare_r2_custom_domain.media.domain == "media.example.com" && cloudflare_r2_custom_domain.media.enabled && !cloudflare_r2_managed_domain.media.enabled
    error_message = "Pictures are not served from the domain of ours alone."
  }
  assert {
    condition     = cloudflare_r2_bucket_cors.media.rules[0].allowed.origins == tolist(["https://phoenix.example.com"])
    error_message = "Other pages than ours may read the bucket."
  }
  assert {
    condition     = google_storage_bucket.veo.public_access_prevention == "enforced" && one(one(google_storage_bucket.veo.lifecycle_rule).condition).age == 1
    error_message = "What Veo leaves can be seen, or stays."
  }

  # ---- Only merged code deploys

  assert {
    condition     = google_iam_workload_identity_pool_provider.github.attribute_condition == "assertion.repository == 'example/phoenix' && assertion.ref == 'refs/heads/main'"
    error_message = "Others may deploy."
  }

  # ---- One region needs no load balancer

  assert {
    condition     = length(cloudflare_workers_script.front) == 1 && length(google_compute_global_forwarding_rule.edge) == 0
    error_message = "There is not one front, which is the Worker."
  }
}

run "several_regions" {
  command = plan

  variables {
    regions = ["us-central1", "europe-west1"]
  }

  assert {
    condition     = google_cloud_run_v2_service.function["generate_image@europe-west1"].location == "europe-west1"
    error_message = "The second region makes no pictures."
  }
  assert {
    condition     = !contains(keys(google_cloud_run_v2_service.function), "video_worker@europe-west1")
    error_message = "There are workers away from home."
  }
  assert {
    condition     = alltrue([for key in keys(google_cloud_run_v2_service_iam_member.public) : google_cloud_run_v2_service.function[key].ingress == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"])
    error_message = "Somebody can go around the load balancer."
  }
  assert {
    condition     = length(google_compute_security_policy.edge) == 1 && length(google_compute_backend_service.function) == length(google_cloud_run_v2_service_iam_member.public) / 2
    error_message = "A function has no backend, or no rules against floods."
  }
  assert {
    condition     = length(cloudflare_workers_script.front) == 0 && output.limits.generate_image.at_once == 1600
    error_message = "Two regions do not make twice as many pictures."
  }
}

run "refuses_a_wrong_billing_account" {
  command = plan

  variables {
    billing_account = "mine"
  }
  expect_failures = [var.billing_account]
}

run "refuses_replicas_of_a_basic_redis" {
  command = plan

  variables {
    redis = { tier = "BASIC", memory_gb = 5, replicas = 1 }
  }
  expect_failures = [var.redis]
}

run "refuses_limits_of_an_unknown_function" {
  command = plan

  variables {
    limits = { paint = { max_instances = 5 } }
  }
  expect_failures = [check.limits]
}
