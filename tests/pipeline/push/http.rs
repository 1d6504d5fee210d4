//! The other routes: health, readiness and metrics.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bigquery_emulator::{Fault, Status};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::issuer::{ACCOUNT, claims, unsigned};
use crate::support::{Entry, Service, TestBigQuery};

#[tokio::test]
async fn a_service_is_healthy_before_it_is_ready() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = Service::start_unready(&format!("http://{}", silent.local_addr().unwrap()), &[]).await;
    assert_eq!(service.get("/health").await.status, 200);
    assert_eq!(service.get("/ready").await.status, 503);
}

#[tokio::test]
async fn the_service_is_ready_after_reading_the_template() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    assert_eq!((service.get("/health").await.status, service.get("/ready").await.status), (200, 200));
}

#[tokio::test]
async fn unknown_routes_are_404_and_other_methods_405() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for path in ["/healthz", "/pixel.png", "/favicon.ico", "/push", "//", "/metrics/", "/health/x"] {
        assert_eq!(service.get(path).await.status, 404, "{path}");
    }
    assert_eq!(service.get("/").await.status, 405);
    let posted = service.send_raw(b"POST /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
    assert!(posted.starts_with("HTTP/1.1 405"), "{posted}");
}

/// Subscriptions whose endpoint has a query, such as a token, reach the same route.
#[tokio::test]
async fn the_endpoints_query_is_ignored() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let body = Entry::of_query("user_id=u").pushed();
    let request = format!("POST /?token=secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = service.send_raw(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[tokio::test]
async fn metrics_are_prometheus_text_with_help_and_type() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for body in [Entry::of_query("user_id=u").pushed(), Entry::of_query("").pushed(), "{}".to_owned()] {
        service.push(body).await;
    }
    let text = service.get("/metrics").await.body;
    let mut types: HashMap<&str, &str> = HashMap::new();
    let mut helped = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect("words of help");
            assert!(!words.is_empty());
            helped.push(name);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(types.insert(name, kind).is_none(), "{name} has one type");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let name = series.split('{').next().unwrap();
            let family =
                ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).filter(|name| types.contains_key(name));
            assert!(types.contains_key(family.unwrap_or(name)), "{name} has a type before it has samples");
        }
    }
    for (name, kind) in [
        ("pixel_pipeline_deliveries_total", "counter"),
        ("pixel_pipeline_delivery_seconds", "histogram"),
        ("pixel_pipeline_end_to_end_seconds", "histogram"),
        ("pixel_pipeline_in_flight", "gauge"),
        ("pixel_pipeline_insert_rows", "histogram"),
        ("pixel_pipeline_insert_seconds", "histogram"),
        ("pixel_pipeline_tables", "gauge"),
        ("pixel_pipeline_build_info", "gauge"),
    ] {
        assert_eq!(types.get(name), Some(&kind), "{name}");
        assert!(helped.contains(&name), "{name}");
    }
    assert_eq!(service.metric("pixel_pipeline_deliveries_total{outcome=\"stored\",reason=\"\"}").await, 1.0);
    assert_eq!(service.metric("pixel_pipeline_delivery_seconds_count").await, 3.0);
    assert_eq!(service.metric("pixel_pipeline_insert_rows_bucket{le=\"1\"}").await, 1.0);
    assert_eq!(service.metric("pixel_pipeline_in_flight").await, 0.0);
    assert_eq!(service.metric("pixel_pipeline_tables").await, 1.0);
    let build_info = concat!("pixel_pipeline_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    assert_eq!(service.metric(build_info).await, 1.0);
}

/// The texts in backticks of a table's cell.
fn codes(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The cells of the rows in the documentation of src/telemetry/metrics.rs whose first cell satisfies the predicate.
fn documented(first: impl Fn(&str) -> bool) -> Vec<Vec<&'static str>> {
    let rows = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/telemetry/metrics.rs"))
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix('|'));
    rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>()).filter(|cells| first(cells[0])).collect()
}

/// Metrics by name, each with its kind and labels.
type Families = BTreeMap<String, (String, BTreeSet<String>)>;
/// By metric and label.
type Values = BTreeMap<(String, String), BTreeSet<String>>;

/// The families in /metrics by name, and the values of every label. `le` is the bound of a bucket.
fn served(text: &str) -> (Families, Values) {
    let (mut families, mut values) = (Families::new(), Values::new());
    let mut name = String::new();
    for line in text.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (of, kind) = family.split_once(' ').unwrap();
            name = of.to_owned();
            families.insert(name.clone(), (kind.to_owned(), BTreeSet::new()));
        } else if let Some((_, labels)) = line.split_once('{').filter(|_| !line.starts_with('#')) {
            let (labels, _) = labels.split_once("} ").unwrap();
            for (label, value) in labels.split(',').map(|label| label.split_once('=').unwrap()).filter(|(label, _)| *label != "le") {
                families.get_mut(&name).expect("a type before it has samples").1.insert(label.to_owned());
                values.entry((name.clone(), label.to_owned())).or_default().insert(value.trim_matches('"').to_owned());
            }
        }
    }
    (families, values)
}

#[tokio::test]
async fn exactly_the_documented_metrics_are_served() {
    let bigquery = TestBigQuery::start().await;
    let settings = [
        ("PUSH_AUTH", "iam"),
        ("PUSH_AUTH_FORCE", "true"),
        ("PUSH_SERVICE_ACCOUNT", ACCOUNT),
        ("MAX_NEW_TABLES_PER_HOUR", "1"),
        ("PUSH_DEADLINE", "2s"),
    ];
    let service = Service::start(&bigquery, &settings).await;
    let token = format!("Bearer {}.SIGNATURE_REMOVED_BY_GOOGLE", unsigned(&json!({"alg": "RS256"}), &claims()));
    let push = async |body: String| service.push_with_headers(body, &[("authorization", &token)]).await.status;
    // Stored, also in the overflow table; retried within the delivery; and nacked.
    bigquery.faults().next(Fault::Status(Status::new(503, "backendError")));
    assert_eq!(push(Entry::of_query("user_id=first").pushed()).await, 204);
    assert_eq!(push(Entry::of_query("user_id=second&utm_campaign=x").pushed()).await, 204);
    bigquery.faults().next(Fault::Status(Status::new(403, "accessDenied")));
    assert_eq!(push(Entry::of_query("user_id=first").pushed()).await, 503);
    // Filtered, a dead letter, an invalid request, and an unauthorized one.
    assert_eq!(push(Entry::of_query("").pushed()).await, 204);
    assert_eq!(push(Entry::of_query("user_id=u").without("/httpRequest/requestUrl").pushed()).await, 204);
    assert_eq!(push("{}".to_owned()).await, 400);
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 401);

    let (families, values) = served(&service.get("/metrics").await.body);
    let rows = documented(|first| first.starts_with("`pixel_pipeline_"));
    let family = |row: &Vec<&str>| {
        let kind = row[1].split(',').next().unwrap().to_owned();
        // A text after a comma that is not a label is a remark.
        let labels = row[2].split(", which").next().unwrap();
        (codes(row[0]).pop_first().unwrap(), (kind, codes(labels)))
    };
    let documented_families: Families = rows.iter().map(family).collect();
    for name in families.keys().chain(documented_families.keys()) {
        assert_eq!(families.get(name), documented_families.get(name), "{name}: served, and in the table of src/telemetry/metrics.rs");
    }
    assert!(families.len() >= 12, "{} metrics", families.len());

    // No label contains data of a message, except the names of parameters: all other values of labels are documented.
    let outcomes = documented(|first| first.starts_with('`') && first != "`outcome`" && !first.contains("pixel"));
    let of = |cell: usize| outcomes.iter().flat_map(|row| codes(row[cell])).collect::<BTreeSet<String>>();
    let (mut reasons, causes) = (of(1), codes(outcomes.last().unwrap()[1]));
    reasons.insert(String::new());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    for (metric, label, expected) in [
        ("deliveries_total", "outcome", of(0)),
        ("deliveries_total", "reason", reasons),
        ("insert_failures_total", "failure", words(&["unavailable", "quota", "denied", "unauthorized", "not_found", "bad_request"])),
        ("overflow_total", "cause", words(&["too_many_tables", "long_name", "name_taken"])),
        ("unauthorized_total", "cause", causes),
        ("parameters_not_kept_total", "name", words(&["utm_campaign"])),
        ("build_info", "version", words(&[env!("CARGO_PKG_VERSION")])),
    ] {
        let found = &values[&(format!("pixel_pipeline_{metric}"), label.to_owned())];
        assert!(!found.is_empty() && found.is_subset(&expected), "{metric}: {label} is {found:?}, of {expected:?}");
    }
    assert_eq!(values.len(), 7);
}

#[tokio::test]
async fn event_age_is_measured_from_the_entrys_timestamp() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let a_minute_and_a_half_ago = (Timestamp::now() - SignedDuration::from_secs(90)).to_string();
    service.push(Entry::of_query("user_id=u").with("/timestamp", json!(a_minute_and_a_half_ago)).pushed()).await;
    assert_eq!(service.metric("pixel_pipeline_end_to_end_seconds_bucket{le=\"60\"}").await, 0.0);
    assert_eq!(service.metric("pixel_pipeline_end_to_end_seconds_bucket{le=\"120\"}").await, 1.0);
}
