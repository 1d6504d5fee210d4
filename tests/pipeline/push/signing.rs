//! Signed URLs: `sign` signs them, and a service with the key stores no events of others.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::bigquery::{PROJECT, TempDir};
use crate::support::local::Local;
use crate::support::service::{TIMEOUT, command, output_with_input};
use crate::support::{Entry, Service, TestBigQuery};

const KEY: &str = "planted0123456789abcdef0123456789";
const NEW: &str = "plantedfedcba9876543210fedcba9876";
const PIXEL: &str = "https://track.example.com/pixel.png";

/// Runs `sign` with this environment, these arguments and this input.
async fn sign(settings: &[(&str, &str)], args: &[&str], input: impl AsRef<[u8]>) -> Output {
    output_with_input("sign", settings, args, input.as_ref()).await
}

/// Signs one URL with that key.
async fn signed(key: &str, url: &str) -> String {
    let output = sign(&[("URL_SIGNING_KEY", key)], &[url], "").await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn filtered(reason: &str) -> String {
    format!("pixel_pipeline_deliveries_total{{outcome=\"filtered\",reason=\"{reason}\"}}")
}

/// The output of `explain` for a URL with these settings.
async fn explained(settings: &[(&str, &str)], url: &str) -> Value {
    let output = command("explain").arg(url).envs(settings.iter().copied()).output().await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The digits were computed in Python: `hmac.digest(KEY, b'order_id=a+b%7E*&user_id=%C3%A9', 'sha256').hex()`.
#[tokio::test]
async fn signatures_are_those_of_other_programs() {
    let url = signed(KEY, &format!("{PIXEL}?user_id=%c3%a9&sig=old&order_id=a%20b~*#top")).await;
    assert_eq!(
        url,
        format!("{PIXEL}?user_id=%c3%a9&order_id=a%20b~*&sig=131c2965a4640ea4b10b6a6cf4f74ec016092b4eda4b98f922e78efd162fc915#top")
    );
}

#[tokio::test]
async fn with_a_key_only_signed_urls_are_stored() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("URL_SIGNING_KEY", KEY)]).await;
    let good = signed(KEY, &format!("{PIXEL}?user_id=u&type=click")).await;
    let foreign = signed(NEW, &format!("{PIXEL}?user_id=u&type=click")).await;
    for (url, reason) in [
        (good.clone(), None),
        (good.replace("user_id=u&type=click", "type=click&user_id=%75"), None),
        (format!("{PIXEL}?user_id=u&type=click"), Some("unsigned")),
        (good.replace("type=click", "type=view"), Some("bad_signature")),
        (good.replace("user_id=u", "user_id=v"), Some("bad_signature")),
        (format!("{good}&cb=17"), Some("bad_signature")),
        (format!("{good}&sig="), Some("bad_signature")),
        (foreign, Some("bad_signature")),
        // The opt-out, which invalidates the signature, is checked first.
        (format!("{good}&gpc=1"), Some("opted_out")),
    ] {
        let before = (bigquery.events().await.len(), service.metric(&filtered(reason.unwrap_or_default())).await);
        assert_eq!(service.push(Entry::of_url(&url).pushed()).await.status, 204, "{url}");
        let after = (bigquery.events().await.len(), service.metric(&filtered(reason.unwrap_or_default())).await);
        let expected = if reason.is_some() { (before.0, before.1 + 1.0) } else { (before.0 + 1, before.1) };
        assert_eq!(after, expected, "{url}");
    }
}

#[tokio::test]
async fn during_key_rotation_urls_of_both_keys_are_stored() {
    let bigquery = TestBigQuery::start().await;
    let both = format!("{NEW},{KEY}");
    let service = Service::start(&bigquery, &[("URL_SIGNING_KEY", &both)]).await;
    for key in [KEY, NEW, &both] {
        let url = signed(key, &format!("{PIXEL}?user_id=u")).await;
        assert_eq!(service.push(Entry::of_url(&url).pushed()).await.status, 204);
    }
    assert_eq!(bigquery.events().await.len(), 3);
    assert_eq!(signed(&both, PIXEL).await, signed(NEW, PIXEL).await, "the first signs");
}

#[tokio::test]
async fn mark_mode_stores_all_events_and_fills_the_signed_column() {
    let columns = json!([{"name": "user_id", "type": "STRING"}, {"name": "signed", "type": "BOOLEAN"}]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let settings = [("VALID_ATTRIBUTES", "user_id"), ("TABLE_SUFFIX", ""), ("URL_SIGNING_KEY", KEY), ("SIGNATURE_MODE", "mark")];
    let service = Service::start(&bigquery, &settings).await;
    let good = signed(KEY, &format!("{PIXEL}?user_id=good")).await;
    // A parameter with the column's name is ignored.
    let unsigned = format!("{PIXEL}?user_id=unsigned&signed=true");
    for url in [good.clone(), good.replace("good", "forged"), unsigned.clone()] {
        assert_eq!(service.push(Entry::of_url(&url).pushed()).await.status, 204);
    }
    let unasked = Service::start(&bigquery, &settings[..2]).await;
    assert_eq!(unasked.push(Entry::of_query("user_id=unasked").pushed()).await.status, 204);
    let mut rows: Vec<(Value, Value)> =
        bigquery.rows("pixel").await.into_iter().map(|row| (row["user_id"].clone(), row["signed"].clone())).collect();
    rows.sort_by_key(|(user, _)| user.to_string());
    let expected = [("forged", json!("false")), ("good", json!("true")), ("unasked", Value::Null), ("unsigned", json!("false"))];
    assert_eq!(rows, expected.map(|(user, signed)| (json!(user), signed)));
}

/// The shipped schema has no such column.
#[tokio::test]
async fn mark_mode_needs_the_signed_column() {
    for (mode, needs_column) in [("mark", true), ("require", false)] {
        let bigquery = TestBigQuery::start().await;
        let mut serve = command("serve");
        serve.env("BIGQUERY_EMULATOR_HOST", &bigquery.url).env("URL_SIGNING_KEY", KEY).env("SIGNATURE_MODE", mode);
        if needs_column {
            let output =
                tokio::time::timeout(TIMEOUT, serve.env("GOOGLE_CLOUD_PROJECT", PROJECT).output()).await.expect("it ends").unwrap();
            let log = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success() && log.contains("a BOOLEAN column signed"), "{log}");
        } else {
            Service::spawn(serve, &[]).await.wait_until_ready().await;
        }
    }
}

#[tokio::test]
async fn explain_shows_whether_a_url_is_signed() {
    let dir = TempDir::new();
    let schema = dir.path().join("schema.json");
    std::fs::write(&schema, r#"[{"name": "user_id", "type": "STRING"}, {"name": "signed", "type": "BOOLEAN"}]"#).unwrap();
    let (key, mode) = (("URL_SIGNING_KEY", KEY), ("SIGNATURE_MODE", "mark"));
    let mark = [key, mode, ("VALID_ATTRIBUTES", "user_id"), ("SCHEMA_FILE", schema.to_str().unwrap())];
    let plain = format!("{PIXEL}?user_id=u");
    let good = signed(KEY, &plain).await;
    assert_eq!(explained(&[key], &good).await["signed"], true);
    assert_eq!(explained(&mark, &plain).await["signed"], false);
    assert_eq!(explained(&[key], &plain).await["reason"], "unsigned");
    assert_eq!(explained(&[key], &format!("{good}0")).await["reason"], "bad_signature");
    assert_eq!(explained(&[], &good).await.get("signed"), None, "without a key");
    let text = command("explain").args(["--format", "text", &plain]).envs(mark).output().await.unwrap();
    assert!(String::from_utf8(text.stdout).unwrap().contains("signed    no\n"));
}

#[tokio::test]
async fn sign_reads_a_key_file_and_urls_from_stdin() {
    let dir = TempDir::new();
    let file = dir.path().join("key");
    std::fs::write(&file, format!("{KEY}\n")).unwrap();
    let file = file.to_str().unwrap();
    let output = sign(&[("URL_SIGNING_KEY", NEW)], &["--key-file", file, "--input", "-", "/p?a=1"], "/p?a=2\n\n /p?a=3\r\n").await;
    let mut expected = String::new();
    for url in ["/p?a=1", "/p?a=2", "/p?a=3"] {
        expected += &format!("{}\n", signed(KEY, url).await);
    }
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[tokio::test]
async fn sign_exits_with_2_on_bad_input_and_hides_the_key() {
    let dir = TempDir::new();
    let file = dir.path().join("key");
    std::fs::write(&file, "planted").unwrap();
    let file = file.to_str().unwrap();
    let three = format!("{KEY},{NEW},{KEY}");
    for (settings, args, message) in [
        (&[][..], &["/p"][..], "URL_SIGNING_KEY: there is no key"),
        (&[("URL_SIGNING_KEY", "")], &["/p"], "URL_SIGNING_KEY: there is no key"),
        (&[("URL_SIGNING_KEY", "planted")], &["/p"], "URL_SIGNING_KEY: a key of 7 characters"),
        (&[("URL_SIGNING_KEY", three.as_str())], &["/p"], "URL_SIGNING_KEY: it has 3 keys"),
        (&[], &["/p", "--key-file", file], "--key-file: a key of 7 characters"),
        (&[], &["/p", "--key-file", "/nonexistent/file"], "--key-file: cannot read /nonexistent/file: "),
        (&[("URL_SIGNING_KEY", KEY)], &[], "give URLs"),
        (&[("URL_SIGNING_KEY", KEY)], &["--input", "/nonexistent/file"], "cannot read /nonexistent/file"),
    ] {
        let output = sign(settings, args, "").await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{error}");
        assert!(error.contains(message) && !error.contains("planted"), "{message}: {error}");
    }
}

#[tokio::test]
async fn the_local_mode_signs_its_demo_urls() {
    let dir = TempDir::new();
    let mut local = Local::start_with(dir.path(), &["--demo", "100"], &[("URL_SIGNING_KEY", KEY)]).await;
    let label = "pixel_pipeline_deliveries_total{outcome=\"stored\",reason=\"\"}";
    local.wait_until("the demo's events are stored", async || local.metric(label).await > 5.0).await;
    assert_eq!(local.metric(&filtered("bad_signature")).await, 0.0);
    // The printed command, and the form's URL.
    let url = local.welcome.split('"').nth(1).unwrap().to_owned();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = format!("{}console/sign", local.push);
    let form = http.get(ask).query(&[("url", format!("{}?user_id=form", local.pixel))]).send().await.unwrap().text().await.unwrap();
    for url in [url, form] {
        assert_eq!(explained(&[("URL_SIGNING_KEY", KEY)], &url).await["signed"], true, "{url}");
    }
    assert!(!local.welcome.contains(KEY));
    local.signal("TERM");
    assert_eq!(local.wait().await.0.code(), Some(0));
}

#[tokio::test]
async fn a_file_of_urls_may_have_a_bom_and_is_refused_in_utf_16() {
    let text = format!("{PIXEL}?user_id=u\r\n{PIXEL}?user_id=v\r\n");
    let settings = [("URL_SIGNING_KEY", KEY)];
    let plain = sign(&settings, &["--input", "-"], &text).await.stdout;
    assert_eq!(sign(&settings, &["--input", "-"], format!("\u{feff}{text}")).await.stdout, plain);
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let refused = sign(&settings, &["--input", "-"], utf_16).await;
    let err = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{err}");
    assert!(err.contains("iconv -f UTF-16LE -t UTF-8 FILE"), "{err}");
}
