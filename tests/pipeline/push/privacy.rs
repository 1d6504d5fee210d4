//! Which data of visitors is stored.

use serde_json::{Map, Value, json};

use crate::support::entry::USER;
use crate::support::service::command;
use crate::support::{Entry, Service, TestBigQuery};

const HASH_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// A template table with all columns that can contain data of visitors.
fn columns() -> Value {
    json!([
        {"name": "event_id", "type": "STRING", "mode": "REQUIRED"},
        {"name": "user_id", "type": "STRING"},
        {"name": "order_id", "type": "STRING"},
        {"name": "type", "type": "STRING"},
        {"name": "request_url", "type": "STRING"},
        {"name": "referer", "type": "STRING"},
        {"name": "user_agent", "type": "STRING"},
        {"name": "remote_ip", "type": "STRING"},
        {"name": "invalid_attributes", "type": "STRING", "mode": "REPEATED"},
    ])
}

/// The output of `explain` for a URL with these settings.
async fn explained(settings: &[(&str, &str)], url: &str) -> Value {
    let output = command("explain").arg(url).envs(settings.iter().copied()).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs `explain` with invalid settings, and returns the error.
async fn settings_error(settings: &[(&str, &str)]) -> String {
    let output = command("explain").arg("/pixel.png").envs(settings.iter().copied()).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    error.strip_prefix("error: invalid settings:\n").unwrap_or_else(|| panic!("another error: {error}")).to_owned()
}

/// The only event.
async fn event(bigquery: &TestBigQuery) -> (String, Map<String, Value>) {
    let mut events = bigquery.events().await;
    assert_eq!(events.len(), 1);
    events.pop().unwrap()
}

#[tokio::test]
async fn ip_anonymization_decides_on_the_stored_address() {
    for (settings, address, stored) in [
        (&[][..], "203.0.113.7", Value::Null),
        (&[("IP_ANONYMIZATION", "drop")], "203.0.113.7", Value::Null),
        (&[("IP_ANONYMIZATION", "truncate")], "203.0.113.7:60102", json!("203.0.113.0")),
        (&[("IP_ANONYMIZATION", "truncate")], "[2001:db8:85a3::8a2e:370:7334]:60102", json!("2001:db8:85a3::")),
        (&[("IP_ANONYMIZATION", "truncate")], "203.0.113.7, 10.0.0.1", Value::Null),
        (&[("IP_ANONYMIZATION", "full")], "203.0.113.7:60102", json!("203.0.113.7")),
    ] {
        let bigquery = TestBigQuery::with_template(columns()).await;
        let service = Service::start(&bigquery, settings).await;
        let entry = Entry::of_query("user_id=u").with("/httpRequest/remoteIp", json!(address));
        assert_eq!(service.push(entry.pushed()).await.status, 204);
        let (_, row) = event(&bigquery).await;
        assert_eq!((&row["remote_ip"], &row["invalid_attributes"]), (&stored, &json!([])), "{settings:?} {address}");
    }
}

/// Otherwise every event would become a dead letter, which contains the whole address.
#[tokio::test]
async fn a_required_address_column_conflicts_with_drop() {
    let columns = json!([{"name": "user_id", "type": "STRING"}, {"name": "remote_ip", "type": "STRING", "mode": "REQUIRED"}]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let settings = [("VALID_ATTRIBUTES", "user_id"), ("IP_ANONYMIZATION", "truncate")];
    let service = Service::start(&bigquery, &settings).await;
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
    let mut service = Service::start_unready(&bigquery.url, &settings[..1]).await;
    assert_eq!(service.wait().await.code(), Some(1));
    service.wait_for_log("REQUIRED columns that the service leaves empty with these settings: remote_ip").await;
}

#[tokio::test]
async fn with_a_key_ids_are_hashed_in_table_names_and_rows() {
    let bigquery = TestBigQuery::with_template(columns()).await;
    let service = Service::start(&bigquery, &[("HASH_USER_IDS", HASH_KEY)]).await;
    let entry = Entry::of_query(&format!("user_id={USER}&order_id=42&type=click&User_ID={USER}&sig=00"))
        .with("/httpRequest/referer", json!(format!("https://www.example.com/?a=b&user_id={USER}#{USER}")));
    assert_eq!(service.push(entry.pushed()).await.status, 204);
    let (table, row) = event(&bigquery).await;
    // printf %s 507f1f77bcf86cd799439011 | openssl dgst -sha256 -hmac 0f1e2d3c4b5a69788796a5b4c3d2e1f0
    let hash = "ef401bdf39ba8325a741c1c483a215b7";
    assert_eq!(table, format!("pixel_{hash}_20260102"));
    assert_eq!(row["user_id"], hash);
    let url = format!("https://track.example.com/pixel.png?user_id={hash}&order_id=42&type=click&User_ID={hash}");
    assert_eq!(row["request_url"], url);
    assert_eq!(row["referer"], format!("https://www.example.com/?a=b&user_id={hash}"));
    assert!(!Value::Object(row).to_string().contains(USER));
    assert!(bigquery.tables().await.iter().all(|table| !table.contains(USER)));
}

/// Names that a server reads as `user_id`, and URLs within a URL.
#[tokio::test]
async fn with_a_key_no_column_contains_an_id_in_any_spelling() {
    let bigquery = TestBigQuery::with_template(columns()).await;
    let service = Service::start(&bigquery, &[("HASH_USER_IDS", HASH_KEY), ("TABLE_SUFFIX", "")]).await;
    let encoded: String = USER.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let twice = encoded.to_lowercase().replace('%', "%25");
    let pairs = [
        "user_id[]=ID",
        "user_id%20=ID",
        "%20user_id=ID",
        "user_id%00=ID",
        ";user_id=ID",
        "amp;user_id=ID",
        "USER_ID=ID",
        "user_id.x=ID",
        "user.id=ID",
        "%2575ser_id=ID",
        "a;user_id=ID",
        "type=open;user_id=ID",
        "type=open%3Buser_id%3DID",
        "back=ID",
        "x&amp;user_id=ID",
        "url=https%3A%2F%2Fh%2F%3Fuser_id%3DID",
        "url=https%253A%252F%252Fh%252F%253Fuser_id%253DID",
        "order_id=%7B%22user_id%22%3A%22ID%22%7D",
    ];
    let mut sent = 0;
    for pair in pairs {
        for id in [USER, &encoded, &twice] {
            let pair = pair.replace("ID", id);
            let referer = format!("https://www.example.com/u/{id}/p;user_id={id}?{pair}#{pair}");
            let entry = Entry::of_query(&format!("{pair}&user_id={USER}")).with("/httpRequest/referer", json!(referer));
            assert_eq!(service.push(entry.pushed()).await.status, 204, "{pair}");
            sent += 1;
        }
    }
    let events = bigquery.events().await;
    assert_eq!(events.len(), sent);
    for (_, row) in events {
        let mut text = Value::Object(row).to_string().to_lowercase();
        for _ in 0..3 {
            assert!(!text.contains(USER), "{text}");
            text = text.replace("%25", "%");
            text = USER.bytes().fold(text, |text, byte| text.replace(&format!("%{byte:02x}"), &char::from(byte).to_string()));
        }
    }
}

#[tokio::test]
async fn hashes_depend_on_id_and_key_only() {
    let key = ("HASH_USER_IDS", HASH_KEY);
    let url = |query: &str| format!("https://t.example.com/pixel.png?{query}");
    let one = explained(&[key], &url("user_id=u1&order_id=1")).await;
    let same = explained(&[key], &url("order_id=1&user_id=%751")).await;
    let other = explained(&[key], &url("user_id=u2&order_id=1")).await;
    let rekeyed = explained(&[("HASH_USER_IDS", &HASH_KEY.replace('0', "1"))], &url("user_id=u1&order_id=1")).await;
    let both = explained(&[key, ("HASH_ATTRIBUTES", "user_id,order_id")], &url("user_id=u1&order_id=1")).await;
    assert_eq!((&one["table"], &one["row"]["user_id"]), (&same["table"], &same["row"]["user_id"]));
    assert_ne!(one["row"]["user_id"], other["row"]["user_id"]);
    assert_ne!(one["row"]["user_id"], rekeyed["row"]["user_id"]);
    assert_eq!((&one["row"]["order_id"], &one["row"]["user_id"]), (&json!("1"), &both["row"]["user_id"]));
    assert_ne!(both["row"]["order_id"], "1");
    let empty = explained(&[key], &url("user_id=&order_id=1")).await;
    assert_eq!(empty["reason"], "missing_attribute", "an empty id is missing");
}

#[tokio::test]
async fn hash_attributes_without_a_fitting_column_are_rejected() {
    let key = ("HASH_USER_IDS", HASH_KEY);
    let problem = settings_error(&[key, ("VALID_ATTRIBUTES", "order_id"), ("TABLE_SUFFIX", "")]).await;
    assert!(problem.starts_with("HASH_ATTRIBUTES: user_id is not in VALID_ATTRIBUTES"), "{problem}");
    let problem = settings_error(&[key, ("HASH_ATTRIBUTES", " ")]).await;
    assert!(problem.starts_with("HASH_ATTRIBUTES: it is empty"), "{problem}");
    for column in [json!({"name": "user_id", "type": "INTEGER"}), json!({"name": "user_id", "type": "STRING", "maxLength": 24})] {
        let bigquery = TestBigQuery::with_template(json!([column])).await;
        let mut service = Service::start_unready(&bigquery.url, &[key, ("VALID_ATTRIBUTES", "user_id")]).await;
        assert_eq!(service.wait().await.code(), Some(1));
        service.wait_for_log("HASH_ATTRIBUTES names user_id, whose column cannot hold a hash").await;
    }
}

#[tokio::test]
async fn errors_do_not_quote_a_rejected_key() {
    for bad in ["planted-but-short", "planted key with spaces that is long enough", &"planted-and-too-long-".repeat(50)] {
        let problem = settings_error(&[("HASH_USER_IDS", bad)]).await;
        assert!(problem.starts_with("HASH_USER_IDS: a key"), "{problem}");
        assert!(problem.contains("openssl rand -hex 32") && !problem.contains("planted"), "{problem}");
    }
}

#[tokio::test]
async fn help_does_not_show_a_key() {
    for subcommand in ["serve", "explain", "check", "local"] {
        let output = command(subcommand).arg("--help").env("HASH_USER_IDS", HASH_KEY).output().await.unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains("HASH_USER_IDS") && !help.contains(HASH_KEY), "{help}");
    }
}

#[tokio::test]
async fn an_opted_out_event_is_only_counted() {
    let columns = json!([
        {"name": "user_id", "type": "STRING"}, {"name": "type", "type": "STRING"},
        {"name": "order_id", "type": "INTEGER", "mode": "REQUIRED"}, {"name": "dnt", "type": "STRING"},
    ]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let settings = ("VALID_ATTRIBUTES", "user_id,type,order_id,dnt");
    let service = Service::start(&bigquery, &[settings]).await;
    bigquery.wait_for_table("dead_letters").await;
    let before = bigquery.faults().insert_all_requests().requests;
    // Without the opt-out, the last one would be a dead letter, which contains the whole message.
    let queries =
        ["user_id=u&order_id=1&dnt=1", "gpc=1&user_id=u&order_id=1", "GPC=true&user_id=u&order_id=1", "dnt=1&user_id=u&order_id=x"];
    for query in queries {
        assert_eq!(service.push(Entry::of_query(query).pushed()).await.status, 204, "{query}");
    }
    let opted_out = "pixel_pipeline_deliveries_total{outcome=\"filtered\",reason=\"opted_out\"}";
    assert_eq!(service.metric(opted_out).await, queries.len() as f64);
    assert_eq!(bigquery.faults().insert_all_requests().requests, before, "nothing was sent");
    assert_eq!(service.push(Entry::of_query("user_id=u&order_id=1&dnt=0").pushed()).await.status, 204);
    assert_eq!(event(&bigquery).await.1["dnt"], "0");

    let deaf = Service::start(&bigquery, &[settings, ("RESPECT_OPT_OUT", "false")]).await;
    assert_eq!(deaf.push(Entry::of_query("user_id=u&order_id=2&dnt=1").pushed()).await.status, 204);
    assert_eq!(bigquery.events().await.len(), 2);
}
