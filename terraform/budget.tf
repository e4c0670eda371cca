# What a month may cost, who is told, and what is done about it. Billing data is hours old: this
# limits the damage and is no hard cap.

locals {
  budget_thresholds = [0.5, 0.8, 1.0]
}

resource "google_billing_budget" "this" {
  billing_account = var.billing_account
  display_name    = "phoenix"

  budget_filter {
    projects               = ["projects/${var.project_number}"]
    calendar_period        = "MONTH"
    credit_types_treatment = "INCLUDE_ALL_CREDITS"
  }

  amount {
    specified_amount {
      units = tostring(var.budget_usd) # in no other currency than that of the billing account
    }
  }

  # A mail at each of them.
  dynamic "threshold_rules" {
    for_each = local.budget_thresholds
    content {
      threshold_percent = threshold_rules.value
      spend_basis       = "CURRENT_SPEND"
    }
  }

  # Notices go to budget_guard some times an hour, whether or not a threshold is crossed.
  all_updates_rule {
    pubsub_topic                     = google_pubsub_topic.events["budget"].id
    schema_version                   = "1.0"
    monitoring_notification_channels = [google_monitoring_notification_channel.email.id]
  }

  depends_on = [google_pubsub_topic_iam_member.billing]
}

# Cloud Billing publishes as itself.
resource "google_pubsub_topic_iam_member" "billing" {
  topic  = google_pubsub_topic.events["budget"].id
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:billing-budget-alert@system.gserviceaccount.com"
}
