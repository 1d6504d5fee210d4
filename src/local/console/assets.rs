//! The page and its files, embedded in the binary. The console works offline and needs no build step.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{Console, headers};

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Lists files below `assets/` with their content.
macro_rules! assets {
    ($($path:literal),* $(,)?) => { [$(($path, include_str!(concat!("assets/", $path)))),*] };
}

const ASSETS: &[(&str, &str)] = &assets![
    "css/base.css",
    "css/overview.css",
    "css/components.css",
    "css/pixel.css",
    "css/sql.css",
    "css/tables.css",
    "icon.svg",
    "js/app.js",
    "js/bigquery.js",
    "js/cells.js",
    "js/chart.js",
    "js/dead-letters/letter.js",
    "js/dead-letters/table.js",
    "js/dead-letters/topic.js",
    "js/dom.js",
    "js/format.js",
    "js/grid.js",
    "js/live.js",
    "js/overview/charts.js",
    "js/overview/events.js",
    "js/overview/flow.js",
    "js/overview/outcomes.js",
    "js/overview/welcome.js",
    "js/pixel/tag.js",
    "js/server.js",
    "js/setup.js",
    "js/sql/download.js",
    "js/sql/editor.js",
    "js/sql/failure.js",
    "js/sql/highlight.js",
    "js/sql/history.js",
    "js/sql/result-chart.js",
    "js/sql/result-panel.js",
    "js/sql/result.js",
    "js/tables/detail.js",
    "js/tables/find.js",
    "js/tables/list.js",
    "js/tables/name.js",
    "js/theme.js",
    "js/user/column.js",
    "js/user/query.js",
    "js/views/dead-letters.js",
    "js/views/overview.js",
    "js/views/pixel.js",
    "js/views/sql.js",
    "js/views/tables.js",
    "js/views/user.js",
];

/// `GET /`
pub(crate) async fn page(State(console): State<Arc<Console>>, request: HeaderMap) -> Response {
    let policy = headers::page_policy(&pixel_origin(&request, console.pixel_port));
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, &policy)];
    (headers, include_str!("assets/index.html")).into_response()
}

/// `GET /console/assets/…`
pub(crate) async fn asset(Path(path): Path<String>) -> Response {
    match ASSETS.iter().find(|(name, _)| *name == path) {
        Some((_, content)) => ([(CONTENT_TYPE, content_type(&path))], *content).into_response(),
        None => (StatusCode::NOT_FOUND, "file not found\n").into_response(),
    }
}

/// The origin of the pixel for this client: the host of the request with the pixel's port. [`crate::local::loopback`] has
/// checked the host.
pub(crate) fn pixel_origin(request: &HeaderMap, port: u16) -> String {
    let host = request.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let port_at = host.rfind(':').filter(|colon| host.rfind(']').is_none_or(|bracket| bracket < *colon));
    format!("http://{}:{port}", &host[..port_at.unwrap_or(host.len())])
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => JAVASCRIPT,
        Some("css") => CSS,
        Some("svg") => SVG,
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn files(dir: &Path, below: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{below}{}", entry.file_name().into_string().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => files(&entry.path(), &format!("{name}/"), found),
                false => drop(found.insert(name)),
            }
        }
    }

    #[test]
    fn every_asset_is_listed_and_has_a_content_type() {
        let mut found = BTreeSet::new();
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/local/console/assets"), "", &mut found);
        found.remove("index.html");
        assert_eq!(found, ASSETS.iter().map(|(name, _)| (*name).to_owned()).collect());
        assert!(ASSETS.iter().all(|(name, _)| content_type(name) != "application/octet-stream"));
    }

    #[test]
    fn the_pixel_has_the_host_of_the_console() {
        for (host, origin) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8081"),
            ("localhost", "http://localhost:8081"),
            ("[::1]:8080", "http://[::1]:8081"),
            ("[::1]", "http://[::1]:8081"),
        ] {
            let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
            assert_eq!(pixel_origin(&headers, 8081), origin);
        }
    }
}
