//! The bucket: holds one object, the pixel, and answers like Cloud Storage's XML API.
//!
//! It stands behind [`super::cdn`] and reads only method, path and conditional headers of a request. Status, headers and
//! error bodies are those that an anonymous client of a public bucket gets
//! (<https://cloud.google.com/storage/docs/xml-api/reference-status>). It ignores `Range`, which HTTP permits.

use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, SERVER,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::decode::PixelPaths;
use crate::pixel_server::PNG as PIXEL;

/// The MD5 of [`PIXEL`], which is the entity tag of an object uploaded in one part.
const PIXEL_ETAG: &str = "\"2916fd9d4834f136c766ee86dca017a9\"";
const PIXEL_MD5: &str = "md5=KRb9nUg08TbHZu6G3KAXqQ==";
const PIXEL_CRC32C: &str = "crc32c=/fghuw==";
/// Upload time of the pixel. The generation is the same time in microseconds.
const PIXEL_UPLOADED: &str = "Thu, 01 Jan 2026 00:00:00 GMT";
const PIXEL_GENERATION: &str = "1767225600000000";

/// A public bucket that contains the pixel under one or more names.
#[derive(Debug)]
pub(crate) struct Bucket {
    paths: PixelPaths,
}

impl Bucket {
    /// Names of the object.
    pub(crate) fn new(paths: PixelPaths) -> Self {
        Self { paths }
    }

    /// The answer to a request. `HEAD` is answered like `GET`; the HTTP server omits the body.
    pub(crate) fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response<Bytes> {
        let found = self.paths.contains(path);
        match *method {
            Method::GET | Method::HEAD if !found => no_such_key(path),
            Method::GET | Method::HEAD if is_unchanged(headers) => pixel(StatusCode::NOT_MODIFIED),
            Method::GET | Method::HEAD => pixel(StatusCode::OK),
            // The bucket has no CORS configuration, so the answer has no CORS headers.
            Method::OPTIONS => response(StatusCode::OK, Bytes::new()),
            Method::PUT | Method::DELETE => access_denied(method),
            _ => method_not_allowed(),
        }
    }
}

/// Whether the client's copy of the pixel is current. `If-None-Match` has precedence over `If-Modified-Since`
/// (RFC 9110, section 13.2.2).
fn is_unchanged(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(tags) = text(IF_NONE_MATCH) {
        return tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == PIXEL_ETAG);
    }
    let time = |text: &str| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp());
    let since: Option<Timestamp> = text(IF_MODIFIED_SINCE).and_then(time);
    since.zip(time(PIXEL_UPLOADED)).is_some_and(|(since, uploaded)| uploaded <= since)
}

fn pixel(status: StatusCode) -> Response<Bytes> {
    let not_modified = status == StatusCode::NOT_MODIFIED;
    let mut response = response(status, if not_modified { Bytes::new() } else { Bytes::from_static(PIXEL) });
    let headers = response.headers_mut();
    let named = [
        ("x-goog-generation", PIXEL_GENERATION),
        ("x-goog-metageneration", "1"),
        ("x-goog-stored-content-encoding", "identity"),
        ("x-goog-stored-content-length", "68"),
        ("x-goog-hash", PIXEL_CRC32C),
        ("x-goog-hash", PIXEL_MD5),
        ("x-goog-storage-class", "STANDARD"),
    ];
    for (name, value) in named {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    for (name, value) in [(ETAG, PIXEL_ETAG), (LAST_MODIFIED, PIXEL_UPLOADED), (CONTENT_TYPE, "image/png")] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if not_modified {
        headers.remove(CONTENT_LENGTH);
    }
    // A CDN with a client TTL of 0 sends this. Browsers revalidate on each use, so that a repeated view is logged.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=0"));
    response
}

fn no_such_key(path: &str) -> Response<Bytes> {
    let object = escaped(path.trim_start_matches('/'));
    error(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.", &format!("No such object: pixel/{object}"))
}

fn access_denied(method: &Method) -> Response<Bytes> {
    let permission = if *method == Method::PUT { "storage.objects.create" } else { "storage.objects.delete" };
    let details = format!("Anonymous caller does not have {permission} access to the Google Cloud Storage object.");
    error(StatusCode::FORBIDDEN, "AccessDenied", "Access denied.", &details)
}

fn method_not_allowed() -> Response<Bytes> {
    let mut response =
        error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "The specified method is not allowed against this resource.", "");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    response
}

fn error(status: StatusCode, code: &str, message: &str, details: &str) -> Response<Bytes> {
    let details = if details.is_empty() { String::new() } else { format!("<Details>{details}</Details>") };
    let body = format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message>{details}</Error>");
    let mut response = response(status, body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=UTF-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=0"));
    response
}

fn response(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response.headers_mut().insert(SERVER, HeaderValue::from_static("UploadServer"));
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// MD5 and CRC32C are constants. If this test fails, update them with `gcloud storage hash deploy/pixel.png`.
    #[test]
    fn the_hashes_match_the_shipped_pixel() {
        let digest: String = Sha256::digest(PIXEL).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, "938633219d72209d351c9b15894ced2c88cba540591a75065d6ee0c31044b801");
        assert_eq!(PIXEL.len(), 68);
        let generation: i64 = PIXEL_GENERATION.parse().unwrap();
        assert_eq!(rfc2822::parse(PIXEL_UPLOADED).unwrap().timestamp(), Timestamp::from_microsecond(generation).unwrap());
    }

    #[test]
    fn conditional_requests_get_304_if_unchanged() {
        let bucket = Bucket::new(PixelPaths::parse("/pixel.png").unwrap());
        let status = |name: HeaderName, value: &'static str| {
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
            let answer = bucket.answer(&Method::GET, "/pixel.png", &headers);
            assert_eq!(answer.headers()[ETAG], PIXEL_ETAG);
            answer.status().as_u16()
        };
        for (name, value, expected) in [
            (IF_NONE_MATCH, PIXEL_ETAG, 304),
            (IF_NONE_MATCH, "\"x\", W/\"2916fd9d4834f136c766ee86dca017a9\"", 304),
            (IF_NONE_MATCH, "*", 304),
            (IF_NONE_MATCH, "\"another\"", 200),
            (IF_MODIFIED_SINCE, PIXEL_UPLOADED, 304),
            (IF_MODIFIED_SINCE, "Wed, 31 Dec 2025 23:59:59 GMT", 200),
            (IF_MODIFIED_SINCE, "yesterday", 200),
        ] {
            assert_eq!(status(name.clone(), value), expected, "{name}: {value}");
        }
    }

    #[test]
    fn if_none_match_has_precedence_over_if_modified_since() {
        let headers = HeaderMap::from_iter([
            (IF_NONE_MATCH, HeaderValue::from_static("\"another\"")),
            (IF_MODIFIED_SINCE, HeaderValue::from_static(PIXEL_UPLOADED)),
        ]);
        assert_eq!(Bucket::new(PixelPaths::parse("/p").unwrap()).answer(&Method::GET, "/p", &headers).status(), 200);
    }
}
