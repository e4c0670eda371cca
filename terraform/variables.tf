# What differs from one Phoenix to another. The limits of the services are in
# services.auto.tfvars.json, which the local gateway and the capacity planner read as well; what a
# phase of growth changes is in phases/.

variable "project" {
  description = "Google Cloud project that everything is built in."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "A project's id has 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "project_number" {
  description = "The same project's number: gcloud projects describe PROJECT --format='value(projectNumber)'."
  type        = number
}

variable "regions" {
  description = "Regions that serve requests. The first is home: queue, workers and documents are there. More than one needs the load balancer, and gets it."
  type        = list(string)
  default     = ["us-central1"]

  validation {
    condition     = length(var.regions) > 0 && length(distinct(var.regions)) == length(var.regions)
    error_message = "Name at least one region, and none twice."
  }
}

variable "domain" {
  description = "Host name of the product, in the Cloudflare zone: phoenix.example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain))
    error_message = "This is no host name."
  }
}

variable "media_domain" {
  description = "Host name that pictures and videos are served from, in the Cloudflare zone."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.media_domain))
    error_message = "This is no host name."
  }
}

variable "cloudflare_account_id" {
  description = "Cloudflare account that the bucket belongs to."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{32}$", var.cloudflare_account_id))
    error_message = "An account's id is 32 hexadecimal digits."
  }
}

variable "cloudflare_zone_id" {
  description = "Cloudflare zone that both host names are in."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{32}$", var.cloudflare_zone_id))
    error_message = "A zone's id is 32 hexadecimal digits."
  }
}

variable "load_balancer" {
  description = "Whether Google's global load balancer stands in front, with CDN and Cloud Armor, also for one region. Otherwise a Cloudflare Worker passes requests on."
  type        = bool
  default     = false
}

variable "services" {
  description = "The manifest: each function, by the name of its folder, with its limits and routes."
  type = map(object({
    name          = string
    cpu           = number
    memory        = string
    concurrency   = number
    min_instances = number
    max_instances = number
    timeout_s     = number
    budget_floor  = optional(number) # instances that are left when the budget is spent
    events        = optional(string) # the topic that wakes it; without one it serves HTTP
    routes        = list(object({ method = string, path = string }))
  }))

  validation {
    condition     = alltrue([for s in var.services : contains([1, 2, 4, 6, 8], s.cpu)])
    error_message = "Cloud Run gives 1, 2, 4, 6 or 8 CPUs to an instance that serves several requests."
  }
  validation {
    condition     = alltrue([for s in var.services : s.concurrency >= 1 && s.concurrency <= 1000])
    error_message = "An instance serves 1 to 1000 requests at the same time."
  }
  validation {
    condition     = alltrue([for s in var.services : s.timeout_s >= 1 && s.timeout_s <= 3600])
    error_message = "A request may take 1 to 3600 seconds."
  }
  validation {
    condition     = alltrue([for s in var.services : s.events == null || s.timeout_s <= 600])
    error_message = "Pub/Sub waits 600 seconds for an event to be acknowledged, no longer."
  }
  validation {
    condition     = alltrue([for s in var.services : (s.events == null) == (length(s.routes) > 0)])
    error_message = "A function has either routes or a topic of events."
  }
}

variable "limits" {
  description = "What a phase changes of the manifest, by function."
  type = map(object({
    min_instances = optional(number)
    max_instances = optional(number)
    budget_floor  = optional(number)
  }))
  default = {}
}

variable "phase" {
  description = "The phase of growth: for whom it is, what they are expected to do in a month, and what the roadmap says that it costs. The capacity planner works with it; nothing is built from it."
  type = object({
    number     = number
    name       = string
    users      = number
    images     = number
    videos     = number
    page_views = number
    cost_usd   = list(number)
  })
}

variable "redis" {
  description = "Memorystore: its tier, its memory in GiB, and how many more replicas can take over."
  type = object({
    tier      = string
    memory_gb = number
    replicas  = optional(number, 0)
  })

  validation {
    condition     = contains(["BASIC", "STANDARD_HA"], var.redis.tier)
    error_message = "The tier is BASIC or STANDARD_HA."
  }
  validation {
    condition     = var.redis.replicas == 0 || (var.redis.tier == "STANDARD_HA" && var.redis.memory_gb >= 5)
    error_message = "Read replicas need STANDARD_HA and at least 5 GiB."
  }
}

variable "firestore_location" {
  description = "Where documents are kept: a region, or nam5 or eur3 for several. It cannot be changed later."
  type        = string
  default     = "nam5"
}

variable "firestore_indexes" {
  description = "Composite indexes: one for each set of fields that a query filters by, with its order."
  type = list(object({
    collection = string
    fields     = list(object({ path = string, order = string }))
  }))

  validation {
    condition     = alltrue(flatten([for i in var.firestore_indexes : [for f in i.fields : contains(["ASCENDING", "DESCENDING"], f.order)]]))
    error_message = "The order of a field is ASCENDING or DESCENDING."
  }
}

variable "auth" {
  description = "Whose tokens are taken: issuer (iss), audience (aud), and the keys where the issuer's discovery document does not name them."
  type = object({
    issuer   = string
    audience = string
    jwks_url = optional(string, "")
  })
}

variable "environment" {
  description = "Settings that differ from what they are by default, by function: { generate_image = { LOG_LEVEL = \"debug\" } }. Secrets do not belong here."
  type        = map(map(string))
  default     = {}
}

variable "secrets" {
  description = "Values of secrets that people make: the key pair of an R2 token, and 32 random bytes in hexadecimal that cursors are made with. They go to Secret Manager and nowhere else."
  type = object({
    S3_ACCESS_KEY_ID     = string
    S3_SECRET_ACCESS_KEY = string
    CURSOR_KEY           = string
  })
  ephemeral = true
  sensitive = true
}

variable "secret_versions" {
  description = "Raise a secret's number when its value has changed."
  type        = map(number)
  default     = {}
}

variable "images" {
  description = "Container image of each function at its first deploy. Later ones are the delivery's, and left alone."
  type        = map(string)
  default     = {}
}

variable "billing_account" {
  description = "Billing account that pays for the project: 012345-6789AB-CDEF01."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "A billing account's id has three groups of six hexadecimal digits."
  }
}

variable "budget_usd" {
  description = "What a month may cost, in the currency of the billing account."
  type        = number
  default     = 100

  validation {
    condition     = var.budget_usd > 0
    error_message = "Nothing runs for nothing."
  }
}

variable "budget_threshold_percent" {
  description = "How much of the budget is spent when budget_guard lowers the number of instances."
  type        = number
  default     = 100
}

variable "alert_email" {
  description = "Who is told when something is wrong, and when the budget is spent for the most part."
  type        = string

  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+$", var.alert_email))
    error_message = "This is no e-mail address."
  }
}

variable "requests_per_minute" {
  description = "Requests that one address may make in a minute; more are answered 429 by the load balancer."
  type        = number
  default     = 600
}

variable "repository" {
  description = "GitHub repository that may deploy: OWNER/NAME."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.repository))
    error_message = "A repository is named OWNER/NAME."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete documents, secrets and services. Switch it off to tear down."
  type        = bool
  default     = true
}
