//! The pixel as a public HTTP service, in place of load balancer, CDN and bucket.
//!
//! Cloud Run logs each request, as the load balancer does, and the log sink exports those entries. So this service stores
//! nothing and logs nothing about a request. It reads the method, the path and two headers of a request, never its body.
//!
//! | request | answer |
//! |---|---|
//! | GET, HEAD of a path in PIXEL_PATH | 200 and the image, or 304 |
//! | POST of such a path, as `navigator.sendBeacon` sends it | 204 |
//! | OPTIONS of such a path: a browser asks before a POST of JSON | 204 |
//! | another method | 405 |
//! | another path | 404 |

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_LENGTH,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::decode::PixelPaths;
use crate::source::http::{body, server};

/// A transparent image of 1×1 pixels: deploy/pixel.png, which is not part of the image's sources.
pub(crate) const PNG: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x04\x00\x00\x00\xb5\
    \x1c\x0c\x02\x00\x00\x00\x0bIDAT\x18\x19c``\x00\x00\x00\x03\x00\x01\xe8Un\x1e\x00\x00\x00\x00IEND\
    \xaeB`\x82";
/// The same as a GIF, for paths that end in `.gif`.
const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x21\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
/// The images never change, so their tags are constants.
const PNG_TAG: &str = "\"pixel-png-1\"";
const GIF_TAG: &str = "\"pixel-gif-1\"";

const METHODS: &str = "GET, HEAD, POST, OPTIONS";
/// The longest body that `navigator.sendBeacon` sends. A body is discarded up to this size, because a connection that is
/// closed with unread bytes can lose its answer.
const MAX_DISCARDED_BYTES: usize = 64 << 10;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);
/// Cloud Run kills the process ten seconds after SIGTERM.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(9);

/// Serves the pixel at these paths until `shutdown`, then for at most nine seconds more.
pub(crate) async fn serve(listener: TcpListener, paths: PixelPaths, shutdown: impl Future<Output = ()>) {
    let router = Router::new().fallback(respond).with_state(Arc::new(paths));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = server::serve(listener, router, async { drop(stopped.await) });
    tokio::pin!(server);
    tokio::select! {
        () = &mut server => return,
        () = shutdown => drop(stop),
    }
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, server).await.is_err() {
        tracing::warn!("shutdown timed out with requests in progress");
    }
}

async fn respond(State(paths): State<Arc<PixelPaths>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    discard(body).await;
    answer(&paths, &head.method, head.uri.path(), &head.headers).map(Body::from)
}

/// Discards the body of a request.
pub(crate) async fn discard(body: Body) {
    body::discard(body.into_data_stream(), MAX_DISCARDED_BYTES, Instant::now() + DISCARD_TIMEOUT).await;
}

/// The answer to a request. The HTTP server omits the body of an answer to HEAD.
pub(crate) fn answer(paths: &PixelPaths, method: &Method, path: &str, headers: &HeaderMap) -> Response<Bytes> {
    if !paths.contains(path) {
        return empty(StatusCode::NOT_FOUND);
    }
    let is_gif = path.to_ascii_lowercase().ends_with(".gif");
    let (image, tag, kind) = if is_gif { (GIF, GIF_TAG, "image/gif") } else { (PNG, PNG_TAG, "image/png") };
    match *method {
        Method::GET | Method::HEAD => {
            let is_unchanged = headers.get_all(IF_NONE_MATCH).iter().any(|value| matches(value, tag));
            let mut answer = if is_unchanged { empty(StatusCode::NOT_MODIFIED) } else { of_image(image, kind) };
            answer.headers_mut().insert(ETAG, HeaderValue::from_static(tag));
            answer
        }
        Method::POST => empty(StatusCode::NO_CONTENT),
        Method::OPTIONS => {
            let mut answer = empty(StatusCode::NO_CONTENT);
            for (name, value) in [(ALLOW, METHODS), (ACCESS_CONTROL_ALLOW_METHODS, METHODS), (ACCESS_CONTROL_ALLOW_HEADERS, "*")] {
                answer.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            answer
        }
        _ => {
            let mut answer = empty(StatusCode::METHOD_NOT_ALLOWED);
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static(METHODS));
            answer
        }
    }
}

/// Whether a value of `If-None-Match` names the tag (RFC 9110, section 13.1.2).
fn matches(value: &HeaderValue, tag: &str) -> bool {
    let value = value.to_str().unwrap_or_default();
    value.split(',').map(str::trim).any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == tag)
}

fn of_image(image: &'static [u8], kind: &'static str) -> Response<Bytes> {
    let mut answer = empty(StatusCode::OK);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(image.len()));
    *answer.body_mut() = Bytes::from_static(image);
    answer
}

/// An answer without a body, with the headers of all answers.
fn empty(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    for (name, value) in [
        // A copy in a cache would hide a view.
        (CACHE_CONTROL, "no-store"),
        // Pages of every site may load the pixel, also those that isolate themselves from other sites.
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &str, path: &str, tag: Option<&str>) -> Response<Bytes> {
        let paths = PixelPaths::parse("/pixel.png,/o/*").unwrap();
        let tag = tag.map(|tag| (IF_NONE_MATCH, HeaderValue::from_str(tag).unwrap()));
        answer(&paths, &method.parse().unwrap(), path, &HeaderMap::from_iter(tag))
    }

    #[test]
    fn each_method_and_path_has_its_answer() {
        for (method, path, status, length) in [
            ("GET", "/pixel.png", 200, 68),
            ("GET", "/%70ixel.png", 200, 68),
            ("GET", "/o/1.gif", 200, 43),
            ("GET", "/o/1.GIF", 200, 43),
            ("HEAD", "/pixel.png", 200, 68),
            ("POST", "/pixel.png", 204, 0),
            ("OPTIONS", "/pixel.png", 204, 0),
            ("PUT", "/pixel.png", 405, 0),
            ("DELETE", "/pixel.png", 405, 0),
            ("PROPFIND", "/pixel.png", 405, 0),
            ("GET", "/", 404, 0),
            ("POST", "/favicon.ico", 404, 0),
            ("GET", "/PIXEL.png", 404, 0),
        ] {
            let answer = ask(method, path, None);
            assert_eq!((answer.status().as_u16(), answer.body().len()), (status, length), "{method} {path}");
            assert_eq!(answer.headers()[CACHE_CONTROL], "no-store", "{method} {path}");
        }
    }

    #[test]
    fn a_conditional_request_gets_304_if_its_tag_is_that_of_the_image() {
        for (path, tag, status) in [
            ("/pixel.png", PNG_TAG, 304),
            ("/o/1.gif", GIF_TAG, 304),
            ("/pixel.png", GIF_TAG, 200),
            ("/pixel.png", "*", 304),
            ("/pixel.png", "\"x\", W/\"pixel-png-1\"", 304),
            ("/pixel.png", "\"x\"", 200),
        ] {
            assert_eq!(ask("GET", path, Some(tag)).status().as_u16(), status, "{path} {tag}");
        }
        assert_eq!(ask("POST", "/pixel.png", Some("*")).status(), 204);
    }

    #[test]
    fn the_images_are_complete() {
        assert_eq!(PNG, include_bytes!("../deploy/pixel.png"));
        assert!(GIF.starts_with(b"GIF89a\x01\x00\x01\x00") && GIF.ends_with(b";"));
    }
}
