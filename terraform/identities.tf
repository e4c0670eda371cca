# Each function is somebody of its own and may do what it does, and nothing else.

locals {
  # Roles in the whole project. What may be granted for one topic, bucket or secret is granted there.
  roles = {
    generate_image = ["roles/datastore.user", "roles/aiplatform.user"]
    submit_video   = ["roles/datastore.user"]
    video_worker   = ["roles/datastore.user", "roles/aiplatform.user"]
    feed           = ["roles/datastore.user"]
    budget_guard   = ["roles/datastore.user"]
  }

  grants = merge([
    for function in keys(local.services) : {
      for role in local.roles[function] : "${function}:${role}" => { function = function, role = role }
    }
  ]...)
}

resource "google_service_account" "function" {
  for_each = local.services

  account_id   = each.value.name
  display_name = "Phoenix: ${each.key}"

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "function" {
  for_each = local.grants

  project = var.project
  role    = each.value.role
  member  = google_service_account.function[each.value.function].member
}

# budget_guard changes limits of instances, of the services that it guards.
resource "google_project_iam_custom_role" "limiter" {
  role_id     = "phoenixLimiter"
  title       = "Phoenix: change a service's limits"
  permissions = ["run.services.get", "run.services.update"]

  depends_on = [google_project_service.this]
}

resource "google_project_iam_custom_role" "operations" {
  role_id     = "phoenixRunOperations"
  title       = "Phoenix: see whether a change of a service is done"
  permissions = ["run.operations.get"]

  depends_on = [google_project_service.this]
}

resource "google_cloud_run_v2_service_iam_member" "limiter" {
  for_each = { for key, placement in local.placements : key => placement if placement.service.budget_floor != null }

  name     = google_cloud_run_v2_service.function[each.key].name
  location = each.value.region
  role     = google_project_iam_custom_role.limiter.id
  member   = google_service_account.function["budget_guard"].member
}

resource "google_project_iam_member" "operations" {
  project = var.project
  role    = google_project_iam_custom_role.operations.id
  member  = google_service_account.function["budget_guard"].member
}

# Who changes a service must be allowed to act as it.
resource "google_service_account_iam_member" "limiter" {
  for_each = { for function, service in local.services : function => service if service.budget_floor != null }

  service_account_id = google_service_account.function[each.key].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.function["budget_guard"].member
}
