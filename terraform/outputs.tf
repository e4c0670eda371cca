output "url" {
  description = "Where people find Phoenix."
  value       = "https://${var.domain}"
}

output "services" {
  description = "Each function's own address, by its placement."
  value       = { for key, service in google_cloud_run_v2_service.function : key => service.uri }
}

output "registry" {
  description = "Where images are pushed to: REGISTRY/FUNCTION:TAG."
  value       = "${local.home}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.this.repository_id}"
}

output "delivery" {
  description = "What the deploy workflow needs as repository variables."
  value = {
    WORKLOAD_IDENTITY_PROVIDER = google_iam_workload_identity_pool_provider.github.name
    DELIVERY_SERVICE_ACCOUNT   = google_service_account.delivery.email
  }
}

output "limits" {
  description = "What each function may use, in all regions together."
  value = {
    for function, service in local.services : function => {
      cpu           = service.cpu
      memory        = service.memory
      concurrency   = service.concurrency
      min_instances = service.min_instances * length([for p in local.placements : p if p.function == function])
      max_instances = service.max_instances * length([for p in local.placements : p if p.function == function])
      at_once       = service.concurrency * service.max_instances * length([for p in local.placements : p if p.function == function])
    }
  }
}
