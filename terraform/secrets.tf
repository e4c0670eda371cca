# Secrets and who may read each. Functions get them by reference; their values are in no plan.

locals {
  # Made by people, and written without being kept in the state.
  given_secrets = toset(["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "CURSOR_KEY"])

  # Made by Google, in whose part of the state they are already.
  made_secrets = {
    REDIS_URL     = "rediss://:${google_redis_instance.this.auth_string}@${google_redis_instance.this.host}:${google_redis_instance.this.port}/0"
    REDIS_CA_FILE = join("\n", google_redis_instance.this.server_ca_certs[*].cert)
  }

  secret_names = setunion(local.given_secrets, ["REDIS_URL", "REDIS_CA_FILE"])

  secret_versions = {
    for name, made in merge(google_secret_manager_secret_version.given, google_secret_manager_secret_version.made) :
    name => made.version
  }

  readers = merge([
    for function, names in local.reads : {
      for name in setintersection(names, local.secret_names) : "${function}:${name}" => {
        function = function, secret = name
      }
    }
  ]...)
}

resource "google_secret_manager_secret" "this" {
  for_each = local.secret_names

  secret_id           = "phoenix-${lower(replace(each.key, "_", "-"))}"
  deletion_protection = var.deletion_protection

  replication {
    auto {}
  }

  depends_on = [google_project_service.this]
}

resource "google_secret_manager_secret_version" "given" {
  for_each = local.given_secrets

  secret                 = google_secret_manager_secret.this[each.key].id
  secret_data_wo         = var.secrets[each.key]
  secret_data_wo_version = lookup(var.secret_versions, each.key, 1)

  # The old one serves until every instance has been replaced.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_version" "made" {
  for_each = toset(["REDIS_URL", "REDIS_CA_FILE"])

  secret      = google_secret_manager_secret.this[each.key].id
  secret_data = local.made_secrets[each.key]

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.readers

  secret_id = google_secret_manager_secret.this[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member
}
