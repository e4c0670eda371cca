# What wakes functions: a topic each, pushed to the function by somebody who may call it and nothing
# else. What it refuses too often is laid down as a dead letter, where an alert sees it.

locals {
  pubsub_agent = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  topics = { for function, service in local.events : service.events => function }

  # A bell that rings for an hour is not heard any more, and the sweep rings each minute. A notice of
  # the budget is worth keeping.
  topic_patience = {
    video  = { retention = "3600s", attempts = 100 }
    budget = { retention = "86400s", attempts = 5 }
  }
}

resource "google_pubsub_topic" "events" {
  for_each = local.topics

  name       = "phoenix-${each.key}"
  depends_on = [google_project_service.this]
}

resource "google_pubsub_topic" "dead" {
  for_each = local.topics

  name                       = "phoenix-${each.key}-dead"
  message_retention_duration = "604800s"
  depends_on                 = [google_project_service.this]
}

resource "google_service_account" "push" {
  for_each = local.topics

  account_id   = "phoenix-push-${each.key}"
  display_name = "Phoenix: hands ${each.key} events to ${each.value}"

  depends_on = [google_project_service.this]
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.topics

  name     = google_cloud_run_v2_service.function[each.value].name
  location = local.home
  role     = "roles/run.invoker"
  member   = google_service_account.push[each.key].member
}

resource "google_service_account_iam_member" "pubsub_token" {
  for_each = local.topics

  service_account_id = google_service_account.push[each.key].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

resource "google_pubsub_subscription" "push" {
  for_each = local.topics

  name                       = "phoenix-${each.key}-push"
  topic                      = google_pubsub_topic.events[each.key].id
  ack_deadline_seconds       = local.services[each.value].timeout_s
  message_retention_duration = local.topic_patience[each.key].retention

  push_config {
    push_endpoint = google_cloud_run_v2_service.function[each.value].uri
    oidc_token {
      service_account_email = google_service_account.push[each.key].email
      audience              = google_cloud_run_v2_service.function[each.value].uri
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead[each.key].id
    max_delivery_attempts = local.topic_patience[each.key].attempts
  }

  expiration_policy {
    ttl = "" # never
  }

  depends_on = [google_cloud_run_v2_service_iam_member.push, google_pubsub_topic_iam_member.dead]
}

# Dead letters rest here until somebody has looked at them.
resource "google_pubsub_subscription" "dead" {
  for_each = local.topics

  name                       = "phoenix-${each.key}-dead"
  topic                      = google_pubsub_topic.dead[each.key].id
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "dead" {
  for_each = local.topics

  topic  = google_pubsub_topic.dead[each.key].id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead" {
  for_each = local.topics

  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# Who rings for workers: whoever queues a video, and workers for each other.
resource "google_pubsub_topic_iam_member" "ringer" {
  for_each = toset([for function, names in local.reads : function if contains(names, "EVENTS_URL")])

  topic  = google_pubsub_topic.events["video"].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.key].member
}

# The sweep: once a minute somebody looks after jobs that nobody was rung for.
resource "google_cloud_scheduler_job" "sweep" {
  name     = "phoenix-sweep"
  region   = local.home
  schedule = "* * * * *"

  pubsub_target {
    topic_name = google_pubsub_topic.events["video"].id
    data       = base64encode("{\"job\":\"any\"}")
  }

  depends_on = [google_project_service.this]
}
