//! Objects of Cloud Storage: list them, and download one generation of one.
//! By the JSON API (<https://cloud.google.com/storage/docs/json_api>).
//!
//! Not by the crate `object_store`. Its Google client lists by the XML API, which names no generation, so that an object
//! that is replaced during a replay would be read half old, half new; `STORAGE_EMULATOR_HOST` speaks JSON. It takes
//! no support for this folder's token cache with the quota project and its retry policy, and its feature `gcp` would add `quick-xml`,
//! `chrono` and a second HTTP stack to the container image.

use reqwest::Response;
use serde_json::Value;

use super::client::{Client, path_segment, query_value};
use super::endpoints::Api;
use super::error::{ApiError, ApiResult, Lookup};
use super::list;

/// One object, of one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageObject {
    pub bucket: String,
    pub path: String,
    pub generation: String,
    pub size: u64,
}

impl StorageObject {
    /// As gcloud names it.
    pub fn name(&self) -> String {
        format!("gs://{}/{}", self.bucket, self.path)
    }
}

/// The objects of a bucket whose names begin with `prefix`, in the order of their names.
pub(crate) async fn list(client: &Client, bucket: &str, prefix: &str) -> ApiResult<Lookup<Vec<StorageObject>>> {
    let fields = query_value("kind,items(name,size,generation),nextPageToken");
    let path = format!("b/{}/o?prefix={}&fields={fields}", path_segment(bucket), query_value(prefix));
    match client.list(&list::OBJECTS, &path).await? {
        Lookup::Found(items) => items.iter().map(|item| object(bucket, item)).collect::<ApiResult<_>>().map(Lookup::Found),
        Lookup::Absent => Ok(Lookup::Absent),
    }
}

/// Starts to download an object.
pub(crate) async fn download(client: &Client, object: &StorageObject) -> ApiResult<Lookup<Response>> {
    let StorageObject { bucket, path, generation, .. } = object;
    let (bucket, path, generation) = (path_segment(bucket), path_segment(path), query_value(generation));
    client.download(&format!("b/{bucket}/o/{path}?alt=media&generation={generation}")).await
}

fn object(bucket: &str, item: &Value) -> ApiResult<StorageObject> {
    let read = || {
        let text = |member: &str| item[member].as_str().map(str::to_owned);
        let size = text("size")?.parse().ok()?;
        Some(StorageObject { bucket: bucket.to_owned(), path: text("name")?, generation: text("generation")?, size })
    };
    read().ok_or_else(|| ApiError::unreadable(Api::Storage, "an object without name, size or generation"))
}
