//! `local --front cloud-run`: the pixel as a service on Cloud Run.

use crate::support::bigquery::TempDir;
use crate::support::entry::USER;
use crate::support::http;
use crate::support::local::Local;

const SETTINGS: [(&str, &str); 2] = [("TABLE_SUFFIX", ""), ("PIXEL_METHODS", "GET,POST")];

#[tokio::test]
async fn requests_become_rows_without_a_load_balancer() {
    let dir = TempDir::new();
    let local = Local::start_with(dir.path(), &["--front", "cloud-run"], &SETTINGS).await;
    let answer = local.fire(&format!("user_id={USER}&type=open")).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["cache-control"].to_str().unwrap()), (200, "no-store"));
    let beacon = http::client().post(format!("{}?user_id={USER}&type=click", local.pixel)).body("x").send().await.unwrap();
    assert_eq!(beacon.status(), 204);
    local.wait_for_rows("pixel", 2).await;
    let mut types = local.column("pixel", "type").await;
    types.sort();
    assert_eq!(types, ["click", "open"]);
}
