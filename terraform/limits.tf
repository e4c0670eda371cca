# The manifest, with what the phase makes of it, in each region.

locals {
  home = var.regions[0]

  services = {
    for function, service in var.services : function => merge(service, {
      for name, value in try(var.limits[function], {}) : name => value if value != null
    })
  }

  http   = { for function, service in local.services : function => service if service.events == null }
  events = { for function, service in local.services : function => service if service.events != null }

  # Functions that serve HTTP are in all regions, those that events wake at home alone. In the home
  # region the key is the function's name, so that growing changes no address.
  placements = merge(
    { for function, service in local.services : function => {
      function = function, service = service, region = local.home
    } },
    [for region in slice(var.regions, 1, length(var.regions)) : {
      for function, service in local.http : "${function}@${region}" => {
        function = function, service = service, region = region
      }
    }]...
  )

  guarded = {
    for key, placement in local.placements :
    "projects/${var.project}/locations/${placement.region}/services/${placement.service.name}" => placement.service.budget_floor
    if placement.service.budget_floor != null
  }

  has_load_balancer = var.load_balancer || length(var.regions) > 1
}

check "limits" {
  assert {
    condition     = length(setsubtract(keys(var.limits), keys(var.services))) == 0
    error_message = "The phase limits a function that the manifest does not have."
  }
  assert {
    condition     = alltrue([for s in local.services : s.min_instances <= s.max_instances])
    error_message = "A function has more instances at least than at most."
  }
  assert {
    condition     = alltrue([for s in local.services : s.budget_floor == null ? true : s.budget_floor >= max(1, s.min_instances) && s.budget_floor <= s.max_instances])
    error_message = "When the budget is spent a function keeps at least one instance and those that always run."
  }
}
