# Deploys without keys: GitHub says who runs a workflow, and Google lends that somebody an identity
# for the run. See .github/workflows/deploy.yml.

resource "google_iam_workload_identity_pool" "delivery" {
  workload_identity_pool_id = "phoenix-delivery"
  display_name              = "Phoenix delivery"

  depends_on = [google_project_service.this]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.delivery.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"

  # Only our repository, and of it only what has been merged.
  attribute_condition = "assertion.repository == '${var.repository}' && assertion.ref == 'refs/heads/main'"
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "delivery" {
  account_id   = "phoenix-delivery"
  display_name = "Phoenix: deploys functions"

  depends_on = [google_project_service.this]
}

resource "google_service_account_iam_member" "delivery_federation" {
  service_account_id = google_service_account.delivery.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.delivery.name}/attribute.repository/${var.repository}"
}

resource "google_artifact_registry_repository_iam_member" "delivery" {
  repository = google_artifact_registry_repository.this.name
  location   = google_artifact_registry_repository.this.location
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.delivery.member
}

resource "google_cloud_run_v2_service_iam_member" "delivery" {
  for_each = local.placements

  name     = google_cloud_run_v2_service.function[each.key].name
  location = each.value.region
  role     = "roles/run.developer"
  member   = google_service_account.delivery.member
}

resource "google_project_iam_member" "delivery_operations" {
  project = var.project
  role    = google_project_iam_custom_role.operations.id
  member  = google_service_account.delivery.member
}

resource "google_service_account_iam_member" "delivery_as_function" {
  for_each = local.services

  service_account_id = google_service_account.function[each.key].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.delivery.member
}

# A canary is judged by what it logs.
resource "google_project_iam_member" "delivery_logs" {
  project = var.project
  role    = "roles/logging.viewer"
  member  = google_service_account.delivery.member
}
