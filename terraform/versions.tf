# Where the state lives is said when Terraform is initialised: it holds what only operators may see.
#   terraform init -backend-config=bucket=PROJECT-terraform

terraform {
  required_version = ">= 1.11" # write-only arguments: no secret of ours gets into the state

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.0"
    }
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 5.0"
    }
  }

  backend "gcs" {
    prefix = "phoenix"
  }
}

provider "google" {
  project        = var.project
  region         = local.home
  default_labels = { app = "phoenix" }

  # Budgets are asked for in the name of a project, whoever asks.
  user_project_override = true
  billing_project       = var.project
}

# The token comes from CLOUDFLARE_API_TOKEN.
provider "cloudflare" {}
