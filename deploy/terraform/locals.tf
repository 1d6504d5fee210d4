# Values that are computed from the variables and used in more than one file.

locals {
  # The root of the repository, which has the sources of the image, schema/ and deploy/.
  repository = "${path.module}/../.."

  # The mark of the owner. deploy.sh uses the same one: it never changes a resource that has another mark.
  labels = merge(var.labels, { pipeline = var.pipeline })
  # The mark of resources that have no labels.
  mark = "pixel-pipeline ${var.pipeline}"

  # The address of google_service_account.push, which is unknown in a plan.
  push_account = "${var.pipeline}-push@${var.project_id}.iam.gserviceaccount.com"

  pixel_paths = distinct([for path in split(",", var.pixel_path) : trimspace(path)])

  # Log entries of the pixel: those of our load balancer, for one of our paths, without the requests of Cloud CDN's own, by
  # which it validates its copies.
  requests   = [for path in local.pixel_paths : "httpRequest.requestUrl:\"${path}\""]
  requested  = length(local.requests) == 1 ? local.requests[0] : "(${join(" OR ", local.requests)})"
  not_of_cdn = "NOT jsonPayload.parentInsertId:* AND NOT httpRequest.userAgent:\"Cloud-CDN-Google\""
  log_filter = "resource.type=\"http_load_balancer\" AND resource.labels.url_map_name=\"${var.pipeline}\" AND ${local.requested} AND ${local.not_of_cdn}"
}
