# Pictures and videos, at Cloudflare, where reading them costs nothing; and what Veo leaves for us to
# fetch, at Google.

locals {
  media_bucket = "${var.project}-media"
  veo_bucket   = "${var.project}-veo"
}

resource "cloudflare_r2_bucket" "media" {
  account_id    = var.cloudflare_account_id
  name          = local.media_bucket
  storage_class = "Standard"
}

resource "cloudflare_r2_custom_domain" "media" {
  account_id  = var.cloudflare_account_id
  bucket_name = cloudflare_r2_bucket.media.name
  domain      = var.media_domain
  zone_id     = var.cloudflare_zone_id
  enabled     = true
  min_tls     = "1.2"
}

# Throttled, without a cache, and not ours: off.
resource "cloudflare_r2_managed_domain" "media" {
  account_id  = var.cloudflare_account_id
  bucket_name = cloudflare_r2_bucket.media.name
  enabled     = false
}

resource "cloudflare_r2_bucket_cors" "media" {
  account_id  = var.cloudflare_account_id
  bucket_name = cloudflare_r2_bucket.media.name
  rules = [{
    id = "web"
    allowed = {
      methods = ["GET", "HEAD"]
      origins = ["https://${var.domain}"]
      headers = ["range"]
    }
    expose_headers  = ["ETag", "Content-Length", "Content-Range"]
    max_age_seconds = 86400
  }]
}

resource "cloudflare_r2_bucket_lifecycle" "media" {
  account_id  = var.cloudflare_account_id
  bucket_name = cloudflare_r2_bucket.media.name
  rules = [
    {
      id         = "abort-unfinished-uploads"
      enabled    = true
      conditions = { prefix = "" }
      abort_multipart_uploads_transition = {
        condition = { type = "Age", max_age = 86400 }
      }
    },
    {
      id         = "old-videos-are-seldom-seen"
      enabled    = true
      conditions = { prefix = "videos/" }
      storage_class_transitions = [{
        condition     = { type = "Age", max_age = 7776000 } # 90 days
        storage_class = "InfrequentAccess"
      }]
    },
  ]
}

resource "google_storage_bucket" "veo" {
  name                        = local.veo_bucket
  location                    = local.home
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  # A worker fetches a video within minutes. Nobody misses one that is still here the next day.
  lifecycle_rule {
    condition {
      age = 1
    }
    action {
      type = "Delete"
    }
  }
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  depends_on = [google_project_service.this]
}

# Veo writes as Vertex AI or in the name of whoever asks it; the worker reads.
resource "google_storage_bucket_iam_member" "veo" {
  for_each = {
    worker = google_service_account.function["video_worker"].member
    vertex = "serviceAccount:service-${var.project_number}@gcp-sa-aiplatform.iam.gserviceaccount.com"
  }

  bucket = google_storage_bucket.veo.name
  role   = each.key == "worker" ? "roles/storage.objectUser" : "roles/storage.objectCreator"
  member = each.value
}
