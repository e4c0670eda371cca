# What each function is told. Its own `--describe-config` says what it reads; a check compares.

locals {
  redis_ca_folder = "/etc/phoenix/redis"

  # What a setting is, wherever it is read. Secrets are in secrets.tf.
  settings = {
    GOOGLE_CLOUD_PROJECT     = var.project
    STORE_URL                = "firestore:${var.project}/${local.database}"
    OBJECTS_URL              = "s3:https://${var.cloudflare_account_id}.r2.cloudflarestorage.com/${local.media_bucket}"
    OBJECTS_PUBLIC_URL       = "https://${var.media_domain}"
    EVENTS_URL               = "pubsub:projects/${var.project}/topics/phoenix-video"
    REDIS_CA_FILE            = "${local.redis_ca_folder}/ca.pem"
    VIDEO_STORAGE_URI        = "gs://${local.veo_bucket}/veo"
    AUTH_ISSUER              = var.auth.issuer
    AUTH_AUDIENCE            = var.auth.audience
    AUTH_JWKS_URL            = var.auth.jwks_url
    WEB_DIR                  = "/web"
    BUDGET_ID                = reverse(split("/", google_billing_budget.this.name))[0]
    BUDGET_THRESHOLD_PERCENT = tostring(var.budget_threshold_percent)
    GUARDED_SERVICES         = join(",", [for name, floor in local.guarded : "${name}=${floor}"])
  }

  # Which function reads which.
  store   = ["GOOGLE_CLOUD_PROJECT", "STORE_URL"]
  objects = ["OBJECTS_URL", "OBJECTS_PUBLIC_URL", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"]
  queue   = ["REDIS_URL", "REDIS_CA_FILE"]
  people  = ["AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_JWKS_URL"]

  reads = {
    generate_image = concat(local.store, local.objects, local.queue, local.people)
    submit_video   = concat(local.store, local.queue, local.people, ["EVENTS_URL"])
    video_worker   = concat(local.store, local.objects, local.queue, ["EVENTS_URL", "VIDEO_STORAGE_URI"])
    feed           = concat(local.store, local.objects, local.queue, local.people, ["CURSOR_KEY", "WEB_DIR"])
    budget_guard   = concat(local.store, ["BUDGET_ID", "BUDGET_THRESHOLD_PERCENT", "GUARDED_SERVICES"])
  }

  probe_path = "/probe"

  plain = {
    for function, service in local.services : function => merge(
      { for name in local.reads[function] : name => local.settings[name] if contains(keys(local.settings), name) },
      {
        MAX_CONCURRENCY   = tostring(service.concurrency)
        REQUEST_TIMEOUT_S = tostring(service.timeout_s)
        PROBE_PATH        = local.probe_path
      },
      lookup(var.environment, function, {})
    )
  }

  # REDIS_CA_FILE is a file, so its secret is mounted.
  secret = {
    for function in keys(local.services) : function =>
    setsubtract(setintersection(local.reads[function], local.secret_names), ["REDIS_CA_FILE"])
  }
}
