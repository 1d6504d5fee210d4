//! Proxy variables of the environment: no request to an emulator uses them.

use crate::support::bigquery::PROJECT;
use crate::support::service::output_with_input;
use crate::support::{Entry, Service, TestBigQuery};

/// Nothing listens on this port.
const PROXY: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn requests_to_an_emulator_use_no_proxy() {
    let bigquery = TestBigQuery::start().await;
    let proxy = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].map(|name| (name, PROXY));
    let service = Service::start(&bigquery, &proxy).await;
    assert_eq!(service.push(Entry::of_query("user_id=u&order_id=o").pushed()).await.status, 204);
    bigquery.wait_for_table("dead_letters").await;
    let target = [("BIGQUERY_EMULATOR_HOST", bigquery.url.as_str()), ("GOOGLE_CLOUD_PROJECT", PROJECT)];
    for (subcommand, args) in [("query", vec!["SELECT 1 AS n"]), ("forget", vec!["--user-id", "u"])] {
        let output = output_with_input(subcommand, &[&proxy[..], &target[..]].concat(), &args, b"").await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.contains("cannot reach"), "{subcommand}: {errors}");
        assert_eq!(output.status.code(), Some(0), "{subcommand}: {errors}");
    }
}
