//! The template table: where its schema comes from, how it converts values, and what happens when it is missing, does not
//! match the settings, or changes.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bigquery_emulator::Status;
use pixel_pipeline::decode::attributes::ValidAttributes;
use pixel_pipeline::decode::table_suffix::SuffixTemplate;
use pixel_pipeline::decode::{Decoded, Privacy, PubsubMessage, RequestFilter, Schema, Settings};
use pixel_pipeline::google::Tokens;
use pixel_pipeline::sink::bigquery::{BigQuery, Location};
use pixel_pipeline::sink::template::{TemplateSettings, TemplateWatcher};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::bigquery::{DATASET, PROJECT, TempDir};
use crate::support::gate::{bigquery_behind, refusal};
use crate::support::wait::{TIMEOUT, wait_until};
use crate::support::{Entry, Service, TestBigQuery};

const ONE_TABLE: (&str, &str) = ("TABLE_SUFFIX", "");

fn column(name: &str, kind: &str) -> Value {
    json!({"name": name, "type": kind})
}

fn with(mut column: Value, member: &str, value: &str) -> Value {
    column[member] = value.into();
    column
}

fn invalid_attributes() -> Value {
    with(column("invalid_attributes", "STRING"), "mode", "REPEATED")
}

/// A file for SCHEMA_FILE, and its directory, which is removed on drop.
fn schema_file(columns: &Value) -> (TempDir, String) {
    let dir = TempDir::new();
    let path = dir.path().join("schema.json");
    fs::write(&path, columns.to_string()).unwrap();
    (dir, path.to_str().unwrap().to_owned())
}

async fn deliver(service: &Service, query: &str) {
    let answer = service.push(Entry::of_query(query).pushed()).await;
    assert_eq!(answer.status, 204, "{query}");
}

// Values and types

#[tokio::test]
async fn every_type_accepts_its_legacy_and_its_standard_name() {
    let cases = [
        ("s", "STRING", "a+b%26", "a b&"),
        ("i", "INTEGER", "-42", "-42"),
        ("i64", "INT64", "9223372036854775807", "9223372036854775807"),
        ("f", "FLOAT", "1.5", "1.5"),
        ("f64", "FLOAT64", "-2.5e-3", "-0.0025"),
        ("n", "NUMERIC", "12.50", "12.5"),
        ("bn", "BIGNUMERIC", "0.00000000000000000001", "0.00000000000000000001"),
        ("b", "BOOLEAN", "TRUE", "true"),
        ("bb", "BOOL", "0", "false"),
        ("y", "BYTES", "-_8", "+/8="),
        ("t", "TIMESTAMP", "2026-01-02T03:04:05%2B01:00", "1.767319445E9"),
        ("d", "DATE", "2026-1-2", "2026-01-02"),
        ("tt", "TIME", "3:4:5", "03:04:05"),
        ("dt", "DATETIME", "2026-01-02+03:04:05", "2026-01-02T03:04:05"),
        ("j", "JSON", "%7B%22a%22%3A[1,null]%7D", "{\"a\":[1,null]}"),
    ];
    let mut columns = vec![invalid_attributes()];
    let (mut names, mut query) = (Vec::new(), Vec::new());
    for (name, kind, value, _) in cases {
        columns.push(column(name, kind));
        columns.push(with(column(&format!("{name}_all"), kind), "mode", "REPEATED"));
        names.extend([name.to_owned(), format!("{name}_all")]);
        query.push(format!("{name}={value}&{name}_all={value}&{name}_all={value}"));
    }
    let bigquery = TestBigQuery::with_template(columns.into()).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", &names.join(",")), ONE_TABLE]).await;
    deliver(&service, &query.join("&")).await;
    let row = bigquery.rows("pixel").await.remove(0);
    for (name, kind, sent, expected) in cases {
        assert_eq!(row[name], expected, "{kind} {sent}");
        assert_eq!(row[&format!("{name}_all")], json!([expected, expected]), "REPEATED {kind} {sent}");
    }
    assert_eq!(row["invalid_attributes"], json!([]));
}

#[tokio::test]
async fn a_value_that_does_not_fit_becomes_null_and_is_listed() {
    let cases = [
        ("short", with(column("short", "STRING"), "maxLength", "3"), "four"),
        ("i", column("i", "INTEGER"), "1.5"),
        ("f", column("f", "FLOAT64"), "much"),
        ("n", with(with(column("n", "NUMERIC"), "precision", "5"), "scale", "2"), "1000.00"),
        ("bn", column("bn", "BIGNUMERIC"), "1e40"),
        ("b", column("b", "BOOL"), "maybe"),
        ("y", column("y", "BYTES"), "%25"),
        ("ys", with(column("ys", "BYTES"), "maxLength", "1"), "YWI="),
        ("t", column("t", "TIMESTAMP"), "yesterday"),
        ("d", column("d", "DATE"), "2026-02-30"),
        ("tt", column("tt", "TIME"), "24:00:00"),
        ("dt", column("dt", "DATETIME"), "2026-01-02T03:04:05Z"),
        ("j", column("j", "JSON"), "{"),
    ];
    let names: Vec<&str> = cases.iter().map(|(name, _, _)| *name).chain(["user_id"]).collect();
    let columns: Vec<Value> =
        cases.iter().map(|(_, column, _)| column.clone()).chain([column("user_id", "STRING"), invalid_attributes()]).collect();
    let query: String = cases.iter().map(|(name, _, value)| format!("&{name}={value}")).collect();
    let bigquery = TestBigQuery::with_template(columns.into()).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", &names.join(",")), ONE_TABLE]).await;
    deliver(&service, &format!("user_id=u{query}")).await;
    let row = bigquery.rows("pixel").await.remove(0);
    for (name, column, value) in &cases {
        assert_eq!(row[*name], Value::Null, "{value} in {column}");
    }
    assert_eq!(row["user_id"], "u", "the other values are stored");
    assert_eq!(row["invalid_attributes"], json!(names[..cases.len()]));
}

#[tokio::test]
async fn a_repeated_column_stores_valid_values_and_lists_the_others() {
    let columns = json!([column("user_id", "STRING"), with(column("item", "INTEGER"), "mode", "REPEATED"), invalid_attributes()]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,item"), ONE_TABLE]).await;
    deliver(&service, "user_id=u&item=1&item=x&item=&item=3").await;
    let row = bigquery.rows("pixel").await.remove(0);
    assert_eq!((&row["item"], &row["invalid_attributes"]), (&json!(["1", "3"]), &json!(["item"])));
    deliver(&service, "user_id=v").await;
    assert_eq!(bigquery.rows("pixel").await[1]["item"], json!([]));
}

#[tokio::test]
async fn the_column_invalid_attributes_is_optional() {
    let columns = json!([column("user_id", "STRING"), column("amount", "INTEGER")]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,amount"), ONE_TABLE]).await;
    deliver(&service, "user_id=u&amount=much").await;
    assert_eq!(bigquery.rows("pixel").await[0]["amount"], Value::Null);
}

/// Strings are counted in characters, as BigQuery does.
#[tokio::test]
async fn a_value_of_exactly_max_length_fits() {
    let columns = json!([with(column("user_id", "STRING"), "maxLength", "3"), invalid_attributes()]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id"), ONE_TABLE]).await;
    deliver(&service, "user_id=%C3%A4%C3%B6%C3%BC").await;
    assert_eq!(bigquery.rows("pixel").await[0]["user_id"], "äöü");
}

#[tokio::test]
async fn a_required_column_without_a_value_makes_a_dead_letter() {
    let columns = json!([column("user_id", "STRING"), with(column("amount", "INTEGER"), "mode", "REQUIRED"), invalid_attributes()]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,amount"), ONE_TABLE]).await;
    for query in ["user_id=u&amount=much", "user_id=u"] {
        deliver(&service, query).await;
        let dead_letters = bigquery.rows("dead_letters").await;
        let dead_letter = dead_letters.last().unwrap();
        assert_eq!((&dead_letter["reason"], &dead_letter["column"]), (&json!("required_column"), &json!("amount")), "{query}");
        assert!(!dead_letter["detail"].as_str().unwrap().contains("much"), "{}", dead_letter["detail"]);
    }
    assert!(bigquery.rows("pixel").await.is_empty());
    assert_eq!(bigquery.rows("dead_letters").await.len(), 2);
}

#[tokio::test]
async fn a_required_column_with_a_default_may_stay_empty() {
    let columns =
        json!([column("user_id", "STRING"), {"name": "amount", "type": "INTEGER", "mode": "REQUIRED", "defaultValueExpression": "7"}]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,amount"), ONE_TABLE]).await;
    deliver(&service, "user_id=u").await;
    assert_eq!(bigquery.rows("pixel").await[0]["amount"], "7");
}

// Where the schema comes from

#[tokio::test]
async fn the_live_tables_schema_wins_over_the_file() {
    let bigquery = TestBigQuery::with_template(json!([column("user_id", "STRING"), column("amount", "STRING")])).await;
    let (_dir, file) = schema_file(&json!([column("user_id", "STRING"), column("amount", "INTEGER")]));
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,amount"), ONE_TABLE, ("SCHEMA_FILE", &file)]).await;
    deliver(&service, "user_id=u&amount=much").await;
    assert_eq!(bigquery.rows("pixel").await[0]["amount"], "much");
}

#[tokio::test]
async fn missing_tables_are_created_with_the_shipped_schemas() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    assert_eq!(service.push("{\"message\":{\"data\":\"e30=\"}}").await.status, 204);
    for (table, file) in [
        ("pixel", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/pixel.json"))),
        ("dead_letters", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/dead_letters.json"))),
    ] {
        let resource = bigquery.table(table).await.unwrap_or_else(|| panic!("no table {table}"));
        assert_eq!(resource["schema"]["fields"], serde_json::from_str::<Value>(file).unwrap(), "{table}, with descriptions");
    }
}

#[tokio::test]
async fn a_schema_file_defines_the_created_table() {
    let bigquery = TestBigQuery::start().await;
    let columns = json!([
        with(with(column("user_id", "STRING"), "maxLength", "64"), "description", "Who"),
        with(with(column("price", "NUMERIC"), "precision", "10"), "scale", "2"),
        with(with(column("currency", "STRING"), "defaultValueExpression", "'EUR'"), "description", "ISO 4217"),
        {"name": "nested", "type": "RECORD", "fields": [column("a", "STRING")]},
    ]);
    let (_dir, file) = schema_file(&columns);
    let _service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,price"), ("SCHEMA_FILE", &file)]).await;
    assert_eq!(bigquery.table("pixel").await.unwrap()["schema"]["fields"], columns);
}

#[tokio::test]
async fn an_existing_table_is_not_changed() {
    let columns = json!([column("user_id", "STRING")]);
    let bigquery = TestBigQuery::with_template(columns.clone()).await;
    let _service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id")]).await;
    assert_eq!(bigquery.table("pixel").await.unwrap()["schema"]["fields"], columns);
}

// Settings that do not match the schema

#[tokio::test]
async fn attributes_without_a_column_are_named_and_prevent_the_start() {
    let columns = json!([
        column("user_id", "STRING"),
        {"name": "cart", "type": "RECORD", "fields": [column("a", "STRING")]},
        with(column("tenant", "STRING"), "mode", "REQUIRED"),
    ]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let attributes = "user_id,order_id,type,cart";
    let mut service = Service::start_unready(&bigquery.url, &[("VALID_ATTRIBUTES", attributes), ("PUSH_DEADLINE", "1s")]).await;
    assert_eq!(service.wait().await.code(), Some(1));
    let line = service.wait_for_log("cannot run").await;
    let message = serde_json::from_str::<Value>(&line).unwrap()["message"].as_str().unwrap().to_owned();
    for offender in ["order_id, type", "cart", "tenant"] {
        assert!(message.contains(offender), "{offender} in: {message}");
    }
    assert!(!message.contains("names user_id"), "{message}");
    assert!(bigquery.rows("pixel").await.is_empty());
}

/// The file is used only to create the table. It need not match an existing one.
#[tokio::test]
async fn attributes_are_checked_against_the_table_not_the_file() {
    let bigquery = TestBigQuery::with_template(json!([column("user_id", "STRING"), column("campaign", "STRING")])).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,campaign"), ONE_TABLE]).await;
    deliver(&service, "user_id=u&campaign=c").await;
    assert_eq!(bigquery.rows("pixel").await[0]["campaign"], "c");
}

// A missing template table

#[tokio::test]
async fn without_auto_create_a_missing_template_is_logged_once() {
    let bigquery = TestBigQuery::start().await;
    bigquery.create_dataset().await;
    let settings = [("AUTO_CREATE", "false"), ("PUSH_DEADLINE", "1s"), ("TABLE_SUFFIX", "")];
    let mut service = Service::start_unready(&bigquery.url, &settings).await;
    let line = service.wait_for_log("AUTO_CREATE").await;
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["severity"], "ERROR");
    for _ in 0..3 {
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 503);
        assert_eq!(service.get("/ready").await.status, 503);
    }
    assert!(bigquery.tables().await.is_empty(), "nothing is created");
    assert_eq!(service.log().iter().filter(|line| line.contains("AUTO_CREATE is off")).count(), 1);

    bigquery
        .create_table("pixel", serde_json::from_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/pixel.json"))).unwrap())
        .await;
    service.wait_until_ready().await;
    deliver(&service, "user_id=u").await;
    assert_eq!(bigquery.tables().await, ["pixel"], "not even the dead-letter table is created");
}

#[tokio::test]
async fn the_service_waits_for_an_unreachable_bigquery() {
    // Bound and not listening: connections are refused, and no other process gets the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let mut service = Service::start_unready(&url, &[("PUSH_DEADLINE", "1s")]).await;
    service.wait_for_log("cannot read the template table").await;
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 503);

    let bigquery = TestBigQuery::serve(socket.listen(1024).unwrap());
    service.wait_until_ready().await;
    deliver(&service, "user_id=u").await;
    assert_eq!(bigquery.events().await.len(), 1);
}

#[tokio::test]
async fn the_service_waits_while_bigquery_returns_errors() {
    let bigquery = TestBigQuery::start().await;
    for (status, reason) in [(403, "accessDenied"), (500, "internalError")] {
        bigquery.faults().tables_get(Some(Status::new(status, reason)));
        let mut service = Service::start_unready(&bigquery.url, &[("PUSH_DEADLINE", "300ms"), ONE_TABLE]).await;
        service.wait_for_log("cannot read the template table").await;
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 503, "{reason}");
        bigquery.faults().tables_get(None);
        service.wait_until_ready().await;
    }
}

/// A new generated table returns 404, too. So the template is read again at most every ten seconds, and messages are
/// nacked until then.
#[tokio::test]
async fn a_template_deleted_at_run_time_is_created_again() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    deliver(&service, "user_id=before").await;
    bigquery.delete_table("pixel").await;
    let delivery = Entry::of_query("user_id=after").pushed();
    let mut statuses = vec![service.push(delivery.clone()).await.status];
    while *statuses.last().unwrap() != 204 && statuses.len() < 3 {
        statuses.push(service.push(delivery.clone()).await.status);
    }
    assert!(matches!(&statuses[..], [204] | [503, 204] | [503, 503, 204]), "{statuses:?}");
    assert_eq!(bigquery.rows("pixel_after_20260102").await.len(), 1);
    assert!(bigquery.table("pixel").await.is_some());
}

// A changed template table

#[tokio::test]
async fn a_refused_column_makes_the_service_read_the_schema_again() {
    let columns = |of_entry: &str| json!([column("user_id", "STRING"), column(of_entry, "STRING"), invalid_attributes()]);
    let bigquery = TestBigQuery::with_template(columns("path")).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id")]).await;
    deliver(&service, "user_id=before").await;
    bigquery.replace_table("pixel", columns("host")).await;
    deliver(&service, "user_id=after").await;
    let row = bigquery.rows("pixel_after_20260102").await.remove(0);
    assert_eq!((&row["host"], &row["invalid_attributes"]), (&json!("track.example.com"), &json!([])));
    assert!(bigquery.rows("dead_letters").await.is_empty());
}

#[tokio::test]
async fn many_rows_during_a_schema_change_are_all_stored() {
    let bigquery = TestBigQuery::with_template(json!([column("user_id", "STRING"), column("path", "STRING")])).await;
    let service = Arc::new(Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id"), ONE_TABLE]).await);
    bigquery.replace_table("pixel", json!([column("user_id", "STRING")])).await;
    let mut deliveries = JoinSet::new();
    for user in 0..10 {
        let service = Arc::clone(&service);
        deliveries.spawn(async move { service.push(Entry::of_query(&format!("user_id={user}")).pushed()).await.status });
    }
    assert_eq!(deliveries.join_all().await, [204; 10]);
    assert_eq!(bigquery.rows("pixel").await.len(), 10);
}

/// Advances the clock of this test.
async fn advance(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// A BigQuery with a template table, and the number of requests for that table so far. While `is_down`, they fail.
async fn counting(columns: Value, is_down: &Arc<AtomicBool>) -> (TestBigQuery, impl Fn() -> u32 + use<>) {
    let reads = Arc::new(AtomicU32::new(0));
    let (counted, is_down) = (Arc::clone(&reads), Arc::clone(is_down));
    let bigquery = bigquery_behind(move |request, _| {
        if !request.starts_with("GET ") || !request.ends_with("/tables/pixel") {
            return None;
        }
        counted.fetch_add(1, Ordering::SeqCst);
        is_down.load(Ordering::SeqCst).then(|| refusal(503, "down"))
    });
    let bigquery = bigquery.await;
    bigquery.create_dataset().await;
    bigquery.create_table("pixel", columns).await;
    (bigquery, move || reads.load(Ordering::SeqCst))
}

/// Metadata requests have a quota, which all instances share.
#[tokio::test]
async fn reads_of_the_schema_back_off_during_an_outage() {
    let is_down = Arc::new(AtomicBool::new(false));
    let (bigquery, reads) = counting(json!([column("user_id", "STRING"), column("path", "STRING")]), &is_down).await;
    let settings = [("VALID_ATTRIBUTES", "user_id"), ONE_TABLE, ("PUSH_DEADLINE", "300ms")];
    let service = Service::start(&bigquery, &settings).await;
    bigquery.replace_table("pixel", json!([column("user_id", "STRING")])).await;
    let before = reads();
    is_down.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let delivery = Entry::of_query("user_id=u").pushed();
    assert_eq!(service.push(delivery.clone()).await.status, 503, "the column path is unknown, and so is the new schema");
    wait_until("the schema is read again", async || reads() >= before + 2).await;
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?} after the first request", began.elapsed());

    is_down.store(false, Ordering::SeqCst);
    wait_until("the row is stored after the outage", async || service.push(delivery.clone()).await.status == 204).await;
}

/// Tests the watcher without a process, because the clock of a process cannot be advanced.
#[tokio::test]
async fn the_schema_is_read_again_every_ten_minutes() {
    let (bigquery, reads) = counting(json!([column("user_id", "STRING")]), &Arc::default()).await;
    let location = Location { endpoint: bigquery.url.clone(), project: PROJECT.to_owned(), dataset: DATASET.to_owned() };
    let valid_attributes = ValidAttributes::parse("user_id").unwrap();
    let settings = TemplateSettings {
        table: "pixel".into(),
        dead_letter_table: "dead_letters".into(),
        schema: Schema::shipped(),
        auto_create: true,
        decode: Settings {
            table_suffix: SuffixTemplate::parse("", &valid_attributes, "pixel").unwrap(),
            valid_attributes,
            requests: RequestFilter::default(),
            privacy: Privacy::default(),
            signatures: None,
        },
    };
    let (watcher, template) = TemplateWatcher::new(BigQuery::new(location, Tokens::None, false, Duration::from_secs(8)), settings);
    let watcher = tokio::spawn(watcher.run());
    let entry = Entry::of_query("user_id=u").json();
    let row = async || {
        let decoder = template.decoder(Instant::now() + TIMEOUT).await.expect("the template table is read");
        match decoder.decode(&PubsubMessage::raw(entry.as_bytes()), jiff::Timestamp::now()) {
            Decoded::Row(row) => String::from_utf8(row.json.to_vec()).unwrap(),
            other => panic!("not a row: {other:?}"),
        }
    };
    assert_eq!(row().await, r#"{"user_id":"u"}"#);
    // After this call the watcher is idle. A request in flight would time out when the clock is advanced.
    template.decoder_after(Instant::now(), Instant::now() + TIMEOUT).await.expect("the schema is read");
    bigquery.patch_schema("pixel", json!([column("user_id", "STRING"), column("path", "STRING")])).await;
    let before = reads();
    advance(Duration::from_secs(590)).await;
    // A read that is due now would be among the requests before this one.
    bigquery.wait_for_table("dead_letters").await;
    assert_eq!((row().await, reads()), (r#"{"user_id":"u"}"#.to_owned(), before), "not before ten minutes have passed");
    advance(Duration::from_secs(10)).await;
    wait_until("the new schema is read", async || row().await == r#"{"user_id":"u","path":"/pixel.png"}"#).await;
    assert_eq!(reads(), before + 1);
    watcher.abort();
}
