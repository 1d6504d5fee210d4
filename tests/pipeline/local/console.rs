//! Access control and security headers of the console. Its content is tested in a browser by `tests/browser`.

use serde_json::Value;

use crate::support::bigquery::TempDir;
use crate::support::local::Local;

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The status of a request with this `Host` and `Origin`.
async fn status(method: &str, url: &str, host: &str, origin: Option<&str>) -> u16 {
    let mut request = http().request(method.parse().unwrap(), url).header("host", host);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn console_and_bigquery_reject_other_hosts_and_origins() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    let tables = "bigquery/v2/projects/local/datasets/parsed_pixel/tables";
    let guarded = [
        local.push.clone(),
        format!("{}console/setup", local.push),
        format!("{}{tables}", local.push),
        format!("{}/{tables}", local.bigquery),
        format!("{}/projects/local/datasets", local.bigquery),
    ];
    // The service creates the dataset after its start.
    let dataset = format!("{}/{tables}", local.bigquery);
    local.wait_until("the dataset exists", async || reqwest::get(&dataset).await.is_ok_and(|answer| answer.status().is_success())).await;
    for url in guarded {
        let port = url.rsplit(':').next().unwrap().split('/').next().unwrap();
        let own = format!("localhost:{port}");
        assert!(status("GET", &url, &own, None).await < 300, "{url}");
        assert!(status("GET", &url, &own, Some(&format!("http://{own}"))).await < 300, "{url}");
        assert_eq!(status("GET", &url, &format!("rebound.example:{port}"), None).await, 403, "{url}");
        assert_eq!(status("GET", &url, &own, Some("http://evil.example")).await, 403, "{url}");
        assert_eq!(status("GET", &url, &own, Some("null")).await, 403, "{url}");
    }
    let replay = format!("{}console/replay", local.push);
    assert_eq!(status("POST", &replay, "localhost", Some("https://evil.example")).await, 403);
}

#[tokio::test]
async fn push_endpoint_and_pixel_accept_any_host_and_origin() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    assert_eq!(status("POST", &local.push, "host.docker.internal:8080", None).await, 400, "an invalid push request, not a forbidden one");
    assert_eq!(status("GET", &format!("{}health", local.push), "service", None).await, 200);
    assert_eq!(status("GET", &format!("{}?user_id=u", local.pixel), "track.example.com", Some("https://shop.example")).await, 200);
}

#[tokio::test]
async fn the_page_policy_blocks_other_origins() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    let page = http().get(&local.push).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let pixel = local.pixel.strip_suffix("/pixel.png").unwrap();
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' {pixel}; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    );
    for (name, value) in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store")] {
        assert_eq!(page.headers()[name], value);
    }
    let html = page.text().await.unwrap();
    assert!(!html.contains("<script>") && !html.contains("<style") && !html.contains("style=") && !html.contains("http"), "{html}");
    let rows = http().get(format!("{}bigquery/v2/projects/local/datasets", local.push)).send().await.unwrap();
    assert_eq!(rows.headers()["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
}

#[tokio::test]
async fn an_open_event_stream_ends_at_shutdown() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    let mut live = http().get(format!("{}console/live", local.push)).send().await.unwrap();
    local.fire("user_id=watched&type=open").await;
    let mut seen = String::new();
    while !seen.contains("user_id=watched") || !seen.ends_with("\n\n") {
        seen += &String::from_utf8_lossy(&live.chunk().await.unwrap().expect("the stream is open"));
    }
    let state = seen.lines().find_map(|line| line.strip_prefix("data: ").filter(|data| data.contains("user_id=watched"))).unwrap();
    let state: Value = serde_json::from_str(state).unwrap();
    assert_eq!((&state["counts"]["requests"], &state["events"][0]["explanation"]["outcome"]), (&1.into(), &"stored".into()));
    let (status, log) = local.end("TERM").await;
    assert!(status.success(), "{log}");
    // If the console did not end the stream, the service would cut the connection after its shutdown timeout, and the
    // chunked body would be incomplete.
    while live.chunk().await.expect("the stream ends with its last chunk").is_some() {}
}
