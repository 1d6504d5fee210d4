//! The template table: where its schema comes from, what it does to values, and what happens when
//! it is not there, not as expected, or not as it was.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bigquery_emulator::Status;
use pixel_pipeline::decode::attributes::ValidAttributes;
use pixel_pipeline::decode::table_suffix::SuffixTemplate;
use pixel_pipeline::decode::{Decoded, Privacy, PubsubMessage, Schema, Settings};
use pixel_pipeline::sink::bigquery::{BigQuery, Location};
use pixel_pipeline::sink::credentials::Tokens;
use pixel_pipeline::sink::template::{TemplateSettings, TemplateWatcher};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::bigquery::{DATASET, PROJECT, TempDir};
use crate::support::gate::{bigquery_behind, refusal};
use crate::support::service::TIMEOUT;
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

/// A file for SCHEMA_FILE, and the directory that it goes with.
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
async fn every_type_gets_its_value_under_its_legacy_and_its_standard_name() {
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
    assert_eq!(row["user_id"], "u", "the rest is stored");
    assert_eq!(row["invalid_attributes"], json!(names[..cases.len()]));
}

#[tokio::test]
async fn a_repeated_column_gets_the_values_that_fit_and_names_the_others() {
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
async fn a_schema_need_not_list_what_did_not_fit() {
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
async fn a_required_column_that_gets_no_value_makes_a_dead_letter_that_names_it() {
    let columns = json!([column("user_id", "STRING"), with(column("amount", "INTEGER"), "mode", "REQUIRED"), invalid_attributes()]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,amount"), ONE_TABLE]).await;
    for query in ["user_id=u&amount=much", "user_id=u"] {
        deliver(&service, query).await;
        let letters = bigquery.rows("dead_letters").await;
        let letter = letters.last().unwrap();
        assert_eq!((&letter["reason"], &letter["column"]), (&json!("required_column"), &json!("amount")), "{query}");
        assert!(!letter["detail"].as_str().unwrap().contains("much"), "{}", letter["detail"]);
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
async fn missing_tables_are_created_as_the_schema_files_have_them() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    assert_eq!(service.push("{\"message\":{\"data\":\"e30=\"}}").await.status, 204);
    for (table, file) in [
        ("pixel", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/pixel.json"))),
        ("dead_letters", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/dead_letters.json"))),
    ] {
        let resource = bigquery.table(table).await.unwrap_or_else(|| panic!("{table} is there"));
        assert_eq!(resource["schema"]["fields"], serde_json::from_str::<Value>(file).unwrap(), "{table}, descriptions and all");
    }
}

#[tokio::test]
async fn a_schema_file_creates_the_table_with_everything_that_it_says() {
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
async fn a_table_that_is_there_is_left_as_it_is() {
    let columns = json!([column("user_id", "STRING")]);
    let bigquery = TestBigQuery::with_template(columns.clone()).await;
    let _service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id")]).await;
    assert_eq!(bigquery.table("pixel").await.unwrap()["schema"]["fields"], columns);
}

// Settings that do not go with it

#[tokio::test]
async fn a_service_whose_attributes_the_live_table_lacks_refuses_to_start_and_names_them_all() {
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

/// The file is what the table would be created from, and does not have to fit if it is not needed.
#[tokio::test]
async fn attributes_are_checked_against_the_live_table_and_not_the_file() {
    let bigquery = TestBigQuery::with_template(json!([column("user_id", "STRING"), column("campaign", "STRING")])).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,campaign"), ONE_TABLE]).await;
    deliver(&service, "user_id=u&campaign=c").await;
    assert_eq!(bigquery.rows("pixel").await[0]["campaign"], "c");
}

// When it is not there

#[tokio::test]
async fn without_auto_create_a_missing_template_is_waited_for_with_one_loud_line() {
    let bigquery = TestBigQuery::start().await;
    bigquery.create_dataset().await;
    let settings = [("AUTO_CREATE", "false"), ("PUSH_DEADLINE", "300ms"), ("TABLE_SUFFIX", "")];
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
async fn a_bigquery_that_cannot_be_reached_is_waited_for() {
    // Bound and not listening: connections are refused, and no other process gets the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let mut service = Service::start_unready(&url, &[("PUSH_DEADLINE", "300ms")]).await;
    service.wait_for_log("cannot read the template table").await;
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 503);

    let bigquery = TestBigQuery::serve(socket.listen(1024).unwrap());
    service.wait_until_ready().await;
    deliver(&service, "user_id=u").await;
    assert_eq!(bigquery.events().await.len(), 1);
}

#[tokio::test]
async fn a_bigquery_that_answers_errors_is_waited_for() {
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

/// The template is looked for again at most every ten seconds, since a new generated table's 404
/// looks the same; until then messages are nacked.
#[tokio::test]
async fn a_template_that_is_deleted_while_the_service_runs_is_made_again() {
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

// When it changes

#[tokio::test]
async fn a_schema_that_changed_is_read_again_when_bigquery_refuses_a_column() {
    let bigquery = TestBigQuery::with_template(json!([column("user_id", "STRING"), column("type", "STRING"), invalid_attributes()])).await;
    let mut service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,type")]).await;
    deliver(&service, "user_id=before&type=click").await;

    bigquery.replace_table("pixel", json!([column("user_id", "STRING"), column("host", "STRING"), invalid_attributes()])).await;
    deliver(&service, "user_id=after&type=click").await;
    let row = bigquery.rows("pixel_after_20260102").await.remove(0);
    assert_eq!(row["host"], "track.example.com", "the new column is used");
    assert_eq!(row["invalid_attributes"], json!(["type"]), "the old one is missed");
    assert!(bigquery.rows("dead_letters").await.is_empty());
    let line = service.wait_for_log("the template table has changed").await;
    assert!(line.contains("type") && line.contains("\"ERROR\""), "{line}");
}

#[tokio::test]
async fn many_rows_that_meet_a_changed_schema_are_all_stored() {
    let bigquery = TestBigQuery::with_template(json!([column("user_id", "STRING"), column("type", "STRING")])).await;
    let service = Arc::new(Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,type"), ONE_TABLE]).await);
    bigquery.replace_table("pixel", json!([column("user_id", "STRING")])).await;
    let mut deliveries = JoinSet::new();
    for user in 0..10 {
        let service = Arc::clone(&service);
        deliveries.spawn(async move { service.push(Entry::of_query(&format!("user_id={user}&type=click")).pushed()).await.status });
    }
    assert_eq!(deliveries.join_all().await, [204; 10]);
    assert_eq!(bigquery.rows("pixel").await.len(), 10);
}

/// BigQuery lets a generated table follow a change that adds columns.
#[tokio::test]
async fn a_column_that_was_added_is_filled_by_the_next_process_in_old_tables_too() {
    let old = json!([column("user_id", "STRING")]);
    let bigquery = TestBigQuery::with_template(old).await;
    deliver(&Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id")]).await, "user_id=u").await;
    bigquery.patch_schema("pixel", json!([column("user_id", "STRING"), column("host", "STRING")])).await;
    deliver(&Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id")]).await, "user_id=u").await;
    let hosts: Vec<Value> = bigquery.rows("pixel_u_20260102").await.into_iter().map(|row| row["host"].clone()).collect();
    assert_eq!(hosts, [Value::Null, json!("track.example.com")]);
}

/// Lets the clock of this test jump.
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

/// Metadata requests have a quota, and other instances ask, too.
#[tokio::test]
async fn during_an_outage_the_schema_is_read_less_and_less_often() {
    let is_down = Arc::new(AtomicBool::new(false));
    let (bigquery, reads) = counting(json!([column("user_id", "STRING"), column("type", "STRING")]), &is_down).await;
    let settings = [("VALID_ATTRIBUTES", "user_id,type"), ONE_TABLE, ("PUSH_DEADLINE", "300ms")];
    let service = Service::start(&bigquery, &settings).await;
    bigquery.replace_table("pixel", json!([column("user_id", "STRING")])).await;
    let before = reads();
    is_down.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let delivery = Entry::of_query("user_id=u&type=click").pushed();
    assert_eq!(service.push(delivery.clone()).await.status, 503, "its column is unknown, and so is the new schema");
    let twice = async {
        while reads() < before + 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, twice).await.expect("the schema is asked for again");
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?} after the first request", began.elapsed());

    is_down.store(false, Ordering::SeqCst);
    let recovered = async { while service.push(delivery.clone()).await.status != 204 {} };
    tokio::time::timeout(TIMEOUT, recovered).await.expect("the row is stored after the outage");
}

/// The watcher alone, because a process cannot be told that ten minutes have passed.
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
            pixel_paths: Vec::new(),
            privacy: Privacy::default(),
            signatures: None,
        },
    };
    let (watcher, template) = TemplateWatcher::new(BigQuery::new(location, Tokens::None, false).unwrap(), settings);
    let watcher = tokio::spawn(watcher.run());
    let entry = Entry::of_query("user_id=u").json();
    let row = async || {
        let decoder = template.decoder(Instant::now() + TIMEOUT).await.expect("the table is seen");
        match decoder.decode(&PubsubMessage::raw(entry.as_bytes()), jiff::Timestamp::now()) {
            Decoded::Row(row) => String::from_utf8(row.json.to_vec()).unwrap(),
            other => panic!("no row: {other:?}"),
        }
    };
    assert_eq!(row().await, r#"{"user_id":"u"}"#);
    // Once it has answered this, the watcher waits and no request of its own is in flight: such a request would time out
    // when the clock is advanced.
    template.decoder_after(Instant::now(), Instant::now() + TIMEOUT).await.expect("the schema is read");
    bigquery.patch_schema("pixel", json!([column("user_id", "STRING"), column("path", "STRING")])).await;
    let before = reads();
    advance(Duration::from_secs(590)).await;
    // A read that is due now would be among the requests before this one.
    bigquery.wait_for_table("dead_letters").await;
    assert_eq!((row().await, reads()), (r#"{"user_id":"u"}"#.to_owned(), before), "not before ten minutes have passed");
    advance(Duration::from_secs(10)).await;
    let is_read = async {
        while row().await != r#"{"user_id":"u","path":"/pixel.png"}"# {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, is_read).await.expect("the new schema is read");
    assert_eq!(reads(), before + 1);
    watcher.abort();
}

/// A generated table keeps the schema of its day, and does not follow an incompatible change.
#[tokio::test]
async fn a_row_that_an_older_generated_table_cannot_take_is_a_dead_letter() {
    let bigquery = TestBigQuery::with_template(json!([column("user_id", "STRING"), column("type", "STRING")])).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,type")]).await;
    deliver(&service, "user_id=u&type=click").await;
    drop(service);

    bigquery.replace_table("pixel", json!([column("user_id", "STRING"), column("kind", "STRING")])).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,kind")]).await;
    deliver(&service, "user_id=u&kind=click").await;
    let letter = bigquery.rows("dead_letters").await.remove(0);
    assert_eq!((&letter["reason"], &letter["column"]), (&json!("invalid"), &json!("kind")));
    assert_eq!(bigquery.rows("pixel_u_20260102").await.len(), 1);
}
