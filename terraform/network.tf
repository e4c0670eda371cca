# A network of our own, in which nothing but Redis listens. Functions reach it by direct egress; all
# else that they talk to is public, and goes its own way.

resource "google_compute_network" "this" {
  name                    = "phoenix"
  auto_create_subnetworks = false

  depends_on = [google_project_service.this]
}

# Each instance takes addresses, and for some minutes after its end: two for each that may run.
resource "google_compute_subnetwork" "run" {
  for_each = { for i, region in var.regions : region => i }

  name                     = "phoenix-run-${each.key}"
  region                   = each.key
  network                  = google_compute_network.this.id
  ip_cidr_range            = cidrsubnet("10.64.0.0/12", 8, each.value) # /20
  private_ip_google_access = true
}

resource "google_compute_global_address" "services" {
  name          = "phoenix-services"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
  network       = google_compute_network.this.id
}

resource "google_service_networking_connection" "services" {
  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]
}
