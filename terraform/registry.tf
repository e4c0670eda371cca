# Container images. Those that nobody runs any more go by themselves.

resource "google_artifact_registry_repository" "this" {
  repository_id = "phoenix"
  location      = local.home
  format        = "DOCKER"

  docker_config {
    immutable_tags = true
  }

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10 # of each function: enough to go back to
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "2592000s" # 30 days
    }
  }

  depends_on = [google_project_service.this]
}
