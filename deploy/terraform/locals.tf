# Values that are computed from the variables and used in more than one file.

locals {
  # The root of the repository, which has the sources of the image, schema/ and deploy/.
  repository = "${path.module}/../.."

  # The multi-region that contains the region, else the region.
  location = coalesce(var.location, startswith(var.region, "europe-") ? "EU" : startswith(var.region, "us-") ? "US" : var.region)

  # Where Pub/Sub stores messages: where the events are. More than one region in a multi-region, so that the failure of a
  # region does not stop the log sink.
  multi_regions   = { EU = ["europe-west1", "europe-west4", "europe-north1"], US = ["us-central1", "us-east1", "us-west1"] }
  storage_regions = contains(keys(local.multi_regions), local.location) ? distinct(concat([var.region], local.multi_regions[local.location])) : [local.location]

  # The mark of the owner. deploy.sh uses the same one: it never changes a resource that has another mark.
  labels = merge(var.labels, { pipeline = var.pipeline })
  # The mark of resources that have no labels.
  mark = "pixel-pipeline ${var.pipeline}"

  # The address of google_service_account.push, which is unknown in a plan.
  push_account = "${var.pipeline}-push@${var.project_id}.iam.gserviceaccount.com"

  pixel_paths = distinct([for path in split(",", var.pixel_path) : trimspace(path)])

  # Log entries of the pixel: those of the load balancer, for one of our paths, without the requests of Cloud CDN's own, by
  # which it validates its copies.
  requests   = [for path in local.pixel_paths : "httpRequest.requestUrl:\"${path}\""]
  requested  = length(local.requests) == 1 ? local.requests[0] : "(${join(" OR ", local.requests)})"
  not_of_cdn = "NOT jsonPayload.parentInsertId:* AND NOT httpRequest.userAgent:\"Cloud-CDN-Google\""
  log_filter = "resource.type=\"http_load_balancer\" AND resource.labels.url_map_name=\"${local.url_map}\" AND ${local.requested} AND ${local.not_of_cdn}"
}
