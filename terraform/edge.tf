# One address for all functions. With one region a Cloudflare Worker passes requests on, for next to
# nothing; Google's global load balancer does it for many, near to everybody, with a CDN and with
# rules against floods.

locals {
  # "/api/video/{id}" as the load balancer's templates have it: "/api/video/*". What no route fits is
  # the feed's, which serves the page.
  route_functions = {
    for path, functions in merge([
      for function, service in local.http : {
        for route in service.routes : replace(route.path, "/\\{[^}]+\\}/", "*") => function...
      }
    ]...) : path => functions[0]
  }

  # The longer template first: "/api/creations/*/like" before "/api/creations/*".
  route_order = reverse(sort([for path in keys(local.route_functions) : format("%03d %s", length(path), path)]))
  templates   = [for entry in local.route_order : substr(entry, 4, -1)]

  default_function = contains(keys(local.http), "feed") ? "feed" : "generate_image"
  balanced         = local.has_load_balancer ? local.http : {}
  one              = local.has_load_balancer ? 1 : 0
}

# ---- The Worker --------------------------------------------------------------------------------

resource "cloudflare_workers_script" "front" {
  count = 1 - local.one

  account_id  = var.cloudflare_account_id
  script_name = "phoenix-front"
  main_module = "front.js"
  content     = file("${path.module}/front.js")

  bindings = [
    { name = "ROUTES", type = "json", json = jsonencode([for path in local.templates : [path, local.route_functions[path]]]) },
    { name = "ORIGINS", type = "json", json = jsonencode({ for function in keys(local.http) : function => google_cloud_run_v2_service.function[function].uri }) },
    { name = "DEFAULT", type = "plain_text", text = local.default_function },
  ]
}

resource "cloudflare_workers_custom_domain" "front" {
  count = 1 - local.one

  account_id = var.cloudflare_account_id
  zone_id    = var.cloudflare_zone_id
  hostname   = var.domain
  service    = cloudflare_workers_script.front[0].script_name
}

# ---- The load balancer -------------------------------------------------------------------------

resource "google_compute_region_network_endpoint_group" "function" {
  for_each = { for key, placement in local.placements : key => placement if contains(keys(local.balanced), placement.function) }

  name                  = "${each.value.service.name}-${each.value.region}"
  region                = each.value.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloud_run_v2_service.function[each.key].name
  }
}

resource "google_compute_backend_service" "function" {
  for_each = local.balanced

  name                  = each.value.name
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  security_policy       = google_compute_security_policy.edge[0].id
  enable_cdn            = each.key == local.default_function # answers that say how long they may be kept

  dynamic "backend" {
    for_each = [for key, placement in local.placements : key if placement.function == each.key]
    content {
      group = google_compute_region_network_endpoint_group.function[backend.value].id
    }
  }

  dynamic "cdn_policy" {
    for_each = each.key == local.default_function ? ["USE_ORIGIN_HEADERS"] : []
    content {
      cache_mode = cdn_policy.value
      cache_key_policy {
        include_host         = true
        include_protocol     = true
        include_query_string = true
      }
    }
  }

  # A region that answers with errors is left alone for a while.
  dynamic "outlier_detection" {
    for_each = length(var.regions) > 1 ? [5] : []
    content {
      consecutive_errors = outlier_detection.value
      base_ejection_time {
        seconds = 30
      }
    }
  }
}

resource "google_compute_security_policy" "edge" {
  count = local.one

  name = "phoenix-edge"

  rule {
    priority    = 1000
    action      = "throttle"
    description = "One address, so many requests a minute."
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"
      rate_limit_threshold {
        count        = var.requests_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    priority    = 2147483647
    action      = "allow"
    description = "Everybody else."
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_compute_url_map" "edge" {
  count = local.one

  name            = "phoenix"
  default_service = google_compute_backend_service.function[local.default_function].id

  host_rule {
    hosts        = [var.domain]
    path_matcher = "functions"
  }

  path_matcher {
    name            = "functions"
    default_service = google_compute_backend_service.function[local.default_function].id

    dynamic "route_rules" {
      for_each = local.templates
      content {
        priority = route_rules.key + 1
        service  = google_compute_backend_service.function[local.route_functions[route_rules.value]].id
        match_rules {
          path_template_match = route_rules.value
        }
      }
    }
  }
}

resource "google_compute_url_map" "to_https" {
  count = local.one

  name = "phoenix-to-https"
  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }

  depends_on = [google_project_service.this]
}

resource "google_compute_managed_ssl_certificate" "edge" {
  count = local.one

  name = "phoenix"
  managed {
    domains = [var.domain]
  }

  depends_on = [google_project_service.this]
}

resource "google_compute_ssl_policy" "edge" {
  count = local.one

  name            = "phoenix"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"

  depends_on = [google_project_service.this]
}

resource "google_compute_target_https_proxy" "edge" {
  count = local.one

  name             = "phoenix"
  url_map          = google_compute_url_map.edge[0].id
  ssl_certificates = [google_compute_managed_ssl_certificate.edge[0].id]
  ssl_policy       = google_compute_ssl_policy.edge[0].id
}

resource "google_compute_target_http_proxy" "edge" {
  count = local.one

  name    = "phoenix"
  url_map = google_compute_url_map.to_https[0].id
}

resource "google_compute_global_address" "edge" {
  count = local.one

  name       = "phoenix-edge"
  depends_on = [google_project_service.this]
}

resource "google_compute_global_forwarding_rule" "edge" {
  for_each = local.has_load_balancer ? { https = 443, http = 80 } : {}

  name                  = "phoenix-${each.key}"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.edge[0].id
  port_range            = tostring(each.value)
  target                = each.key == "https" ? google_compute_target_https_proxy.edge[0].id : google_compute_target_http_proxy.edge[0].id
}

resource "cloudflare_dns_record" "edge" {
  count = local.one

  zone_id = var.cloudflare_zone_id
  name    = var.domain
  type    = "A"
  content = google_compute_global_address.edge[0].address
  ttl     = 300
  proxied = false # Google's certificate wants to see its own address behind the name
}
