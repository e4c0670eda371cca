# Documents: creations, users, balances, likes. What is in here is Phoenix; all else can be made anew.

locals {
  database = "(default)" # the one with a free quota
}

resource "google_firestore_database" "this" {
  name                              = local.database
  location_id                       = var.firestore_location
  type                              = "FIRESTORE_NATIVE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED" # to any minute of seven days
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.deletion_protection ? "ABANDON" : "DELETE"

  depends_on = [google_project_service.this]
}

resource "google_firestore_index" "this" {
  for_each = {
    for index in var.firestore_indexes :
    "${index.collection}:${join(",", [for f in index.fields : "${f.path} ${f.order}"])}" => index
  }

  database   = google_firestore_database.this.name
  collection = each.value.collection

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value.path
      order      = fields.value.order
    }
  }
}

# What is remembered for a while only: answers, and which picture came of a prompt.
resource "google_firestore_field" "expiry" {
  for_each = toset(["idempotency", "repeats"])

  database   = google_firestore_database.this.name
  collection = each.key
  field      = "expires_at"

  ttl_config {}

  # Times that only grow would be one hot spot of an index that nobody asks.
  index_config {}
}

# The mark of the last commit is random text that nobody asks for: an index of it would only cost.
resource "google_firestore_field" "commit_mark" {
  for_each = toset([
    "balances", "budgets", "creations", "deletions", "idempotency", "ledger", "like_counters", "likes", "repeats",
    "usernames", "users"
  ])

  database   = google_firestore_database.this.name
  collection = each.key
  field      = "_write"

  index_config {}
}

resource "google_firestore_backup_schedule" "daily" {
  database  = google_firestore_database.this.name
  retention = "604800s" # 7 days

  daily_recurrence {}
}

resource "google_firestore_backup_schedule" "weekly" {
  database  = google_firestore_database.this.name
  retention = "8467200s" # 14 weeks, the longest there is

  weekly_recurrence {
    day = "SUNDAY"
  }
}
