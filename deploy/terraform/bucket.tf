# The public bucket with the pixel: one object for each path.

resource "google_storage_bucket" "pixel" {
  project                     = local.project
  name                        = "${var.project_id}-${var.pipeline}"
  location                    = local.location
  uniform_bucket_level_access = true
  public_access_prevention    = "inherited"
  labels                      = local.labels
}

# Anyone can read an object by its name; nobody can list the objects.
resource "google_storage_bucket_iam_member" "pixel_public" {
  bucket = google_storage_bucket.pixel.name
  role   = "roles/storage.legacyObjectReader"
  member = "allUsers"
}

resource "google_storage_bucket_object" "pixel" {
  for_each = toset(local.pixel_paths)

  bucket        = google_storage_bucket.pixel.name
  name          = trimprefix(each.key, "/")
  source        = "${path.module}/../pixel.png"
  content_type  = "image/png"
  cache_control = "public, max-age=0"
}

# Google's edge caches every response, whatever the query. Browsers must not cache: the default of one hour would hide
# repeated views.
resource "google_compute_backend_bucket" "pixel" {
  project     = local.project
  name        = var.pipeline
  description = local.mark
  bucket_name = google_storage_bucket.pixel.name
  enable_cdn  = true

  cdn_policy {
    cache_mode  = "FORCE_CACHE_ALL"
    default_ttl = 86400
    client_ttl  = 0
  }
}
