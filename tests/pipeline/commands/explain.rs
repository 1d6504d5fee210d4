//! `pixel-pipeline explain`: its output, and the rules that convert input to rows.

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use crate::support::bigquery::TempDir;
use crate::support::entry::USER;
use crate::support::service::{TIMEOUT, command, output_with_input};
use crate::support::{Entry, wrapped};

/// The result of one run.
struct Explained {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Explained {
    /// The printed objects; none after a failure.
    fn lines(&self) -> Vec<Value> {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""));
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs `explain` with these settings, arguments and standard input.
async fn run(settings: &[(&str, &str)], args: &[&str], input: &[u8]) -> Explained {
    let output = output_with_input("explain", settings, args, input).await;
    let text = |bytes| String::from_utf8(bytes).expect("explain prints UTF-8");
    Explained { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Explains URLs.
async fn urls(settings: &[(&str, &str)], urls: &[&str]) -> Vec<Value> {
    run(settings, urls, b"").await.lines()
}

/// Explains lines of standard input.
async fn lines(settings: &[(&str, &str)], input: impl AsRef<[u8]>) -> Vec<Value> {
    run(settings, &["--input", "-"], input.as_ref()).await.lines()
}

/// Outcome and reason of an explanation.
fn verdict(explanation: &Value) -> (&str, &str) {
    (explanation["outcome"].as_str().unwrap(), explanation["reason"].as_str().unwrap_or_default())
}

/// A directory with a schema file in it.
fn schema_file(columns: Value) -> (TempDir, String) {
    let dir = TempDir::new();
    let file = dir.path().join("schema.json");
    std::fs::write(&file, columns.to_string()).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (dir, file)
}

/// A schema of REPEATED STRING columns: with them, every value of every parameter is seen.
fn repeated(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"name": name, "type": "STRING", "mode": "REPEATED"})).collect()
}

#[tokio::test]
async fn a_stored_event_shows_table_suffix_insert_id_and_row_in_order() {
    let entry = json!({
        "httpRequest": {
            "requestMethod": "GET", "requestUrl": format!("https://t.example.com/pixel.png?user_id={USER}&order_id=42&type=click&x=1"),
            "userAgent": "Mozilla/5.0", "referer": "https://www.example.com/cart",
        },
        "insertId": "1abcdefg2hijkl", "logName": "projects/p/logs/requests", "timestamp": "2026-01-02T03:04:05.123456Z",
    });
    let explained = run(&[], &["--input", "-"], entry.to_string().as_bytes()).await;
    let id = explained.lines()[0]["insert_id"].as_str().unwrap().to_owned();
    assert!(id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{id}");
    let expected = concat!(
        r#"{"outcome":"stored","reason":null,"detail":null,"table":"pixel_507f1f77bcf86cd799439011_20260102","#,
        r#""suffix":"_507f1f77bcf86cd799439011_20260102","insert_id":"ID","#,
        r#""row":{"event_id":"ID","event_timestamp":"2026-01-02T03:04:05.123456Z","#,
        r#""user_id":"507f1f77bcf86cd799439011","order_id":"42","type":"click","#,
        r#""referer":"https://www.example.com/cart","user_agent":"Mozilla/5.0"},"not_kept":["x"]}"#,
        "\n"
    );
    assert_eq!(explained.out, expected.replace("ID", &id));
}

#[tokio::test]
async fn every_outcome_has_the_same_keys_and_exits_with_0() {
    let input = [Entry::of_query("user_id=u").json(), Entry::of_query("type=click").json(), "no JSON".to_owned()].join("\n");
    let explanations = lines(&[], input).await;
    let outcomes: Vec<_> = explanations.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["stored", "filtered", "dead_letter"]);
    for explanation in &explanations {
        let mut keys: Vec<_> = explanation.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["detail", "insert_id", "outcome", "reason", "row", "suffix", "table"], "{explanation}");
    }
    let [_, filter, dead_letter] = &explanations[..] else { unreachable!() };
    assert_eq!(verdict(filter), ("filtered", "missing_attribute"));
    assert_eq!(filter["row"], Value::Null);
    assert_eq!(verdict(dead_letter), ("dead_letter", "bad_json"));
    assert!(dead_letter["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{dead_letter}");
}

#[tokio::test]
async fn each_reason_for_not_storing_is_named() {
    let (_dir, schema) = schema_file(json!([
        {"name": "user_id", "type": "STRING"}, {"name": "order_id", "type": "INTEGER", "mode": "REQUIRED"}, {"name": "type", "type": "STRING"},
    ]));
    let good = Entry::of_query("user_id=u&order_id=1");
    for (outcome, reason, line) in [
        ("stored", "", good.json()),
        ("filtered", "path", Entry::of_url("https://t.example.com/favicon.ico?user_id=u&order_id=1").json()),
        ("filtered", "method", good.clone().with("/httpRequest/requestMethod", json!("HEAD")).json()),
        ("filtered", "status", good.clone().with("/httpRequest/status", json!(403)).json()),
        ("filtered", "cdn_request", good.clone().with("/httpRequest/userAgent", json!("Cloud-CDN-Google (GFE/2.0)")).json()),
        ("filtered", "cdn_request", good.clone().with("/jsonPayload", json!({"parentInsertId": "1oek5rg3l3fxj7"})).json()),
        ("filtered", "health_check", good.clone().with("/httpRequest/userAgent", json!("GoogleHC/1.0")).json()),
        ("filtered", "missing_attribute", Entry::of_query("user_id=&order_id=1").json()),
        ("dead_letter", "timestamp_out_of_range", good.clone().with("/timestamp", json!("1970-01-01T00:00:00Z")).json()),
        ("dead_letter", "timestamp_out_of_range", good.clone().with("/timestamp", json!("9999-12-31T23:59:59Z")).json()),
        ("dead_letter", "required_column", Entry::of_query("user_id=u").json()),
        ("dead_letter", "required_column", Entry::of_query("user_id=u&order_id=one").json()),
        ("dead_letter", "no_request_url", good.clone().without("/httpRequest/requestUrl").json()),
        ("dead_letter", "no_request_url", good.clone().without("/httpRequest").json()),
        ("dead_letter", "no_request_url", "{}".to_owned()),
        ("dead_letter", "bad_json", r#"{"httpRequest":"#.to_owned()),
        ("dead_letter", "bad_json", "\"hello\"".to_owned()),
        ("dead_letter", "bad_json", wrapped(b"hello", "1")),
        ("dead_letter", "bad_base64", r#"{"message":{"data":"GCP Functions","messageId":"1"}}"#.to_owned()),
        ("dead_letter", "no_data", r#"{"message":{"attributes":{"key":"value"},"messageId":"1"}}"#.to_owned()),
    ] {
        let explanations = lines(&[("SCHEMA_FILE", &schema)], &line).await;
        assert_eq!(explanations.len(), 1, "{line}");
        assert_eq!(verdict(&explanations[0]), (outcome, reason), "{line}");
    }
}

#[tokio::test]
async fn an_entry_has_the_same_outcome_in_every_delivery_format() {
    let entry = Entry::of_query("user_id=u1&order_id=%C3%BC%2F%3F~~~").json();
    let (standard, url_safe) = (STANDARD.encode(&entry), URL_SAFE_NO_PAD.encode(&entry));
    assert!(standard.contains('/') || standard.contains('+') || standard.contains('='), "the spellings differ: {standard}");
    let push = json!({"message": {"data": standard, "messageId": "1", "attributes": {}}, "subscription": "projects/p/subscriptions/s"});
    let message = json!({"@type": "type.googleapis.com/google.pubsub.v1.PubsubMessage", "data": standard, "attributes": {}});
    let bodies = [
        wrapped(entry.as_bytes(), "1"),
        push.to_string(),
        // Google's emulator escapes every slash.
        push.to_string().replace('/', r"\/"),
        json!({"message": {"data": url_safe, "message_id": "1"}}).to_string(),
        json!({"deliveryAttempt": 5, "message": {"data": standard, "messageId": "1", "message_id": "1"}}).to_string(),
        json!({"specversion": "1.0", "id": "1", "type": "google.cloud.pubsub.topic.v1.messagePublished", "data": push}).to_string(),
        json!({"specversion": "1.0", "id": "1", "data_base64": STANDARD.encode(push.to_string())}).to_string(),
        json!({"context": {"eventId": "1", "timestamp": "2026-01-02T03:04:07Z"}, "data": message}).to_string(),
        json!({"eventId": "1", "timestamp": "2026-01-02T03:04:07Z", "data": message}).to_string(),
    ];
    let expected = lines(&[], &entry).await.remove(0);
    assert_eq!(verdict(&expected), ("stored", ""));
    for (body, explanation) in bodies.iter().zip(lines(&[], bodies.join("\n")).await) {
        assert_eq!(explanation, expected, "{body}");
    }
}

#[tokio::test]
async fn an_entry_without_a_time_is_dated_by_its_message() {
    let entry = Entry::of_query("user_id=u").without("/timestamp").json();
    let body = json!({"message": {"data": STANDARD.encode(entry), "messageId": "1", "publishTime": "2026-02-03T23:59:59.9Z"}});
    let explanation = lines(&[], body.to_string()).await.remove(0);
    assert_eq!(explanation["table"], "pixel_u_20260203");
    assert_eq!(explanation["row"]["event_timestamp"], "2026-02-03T23:59:59.900000Z");
}

#[tokio::test]
async fn an_entry_without_an_insert_id_gets_the_message_id() {
    let entry = Entry::of_query("user_id=u").without("/insertId").json();
    let ids: Vec<_> =
        lines(&[], [wrapped(entry.as_bytes(), "1"), wrapped(entry.as_bytes(), "1"), wrapped(entry.as_bytes(), "2")].join("\n"))
            .await
            .iter()
            .map(|explanation| explanation["insert_id"].as_str().unwrap().to_owned())
            .collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

/// <https://url.spec.whatwg.org/#concept-urlencoded-parser>, and the cases that Web Platform Tests
/// test it with: each query with its names and values.
const URLENCODED: &[(&str, &[(&str, &str)])] = &[
    ("", &[]),
    ("test", &[("test", "")]),
    ("\u{feff}test=\u{feff}", &[("\u{feff}test", "\u{feff}")]),
    ("%EF%BB%BFtest=%EF%BB%BF", &[("\u{feff}test", "\u{feff}")]),
    ("test=\u{feff}", &[("test", "\u{feff}")]),
    ("test=%EF%BB%BF", &[("test", "\u{feff}")]),
    ("%EF%BF%BF=%EF%BF%BF", &[("\u{ffff}", "\u{ffff}")]),
    ("test=%EF%BF%BF", &[("test", "\u{ffff}")]),
    ("%FE%FF", &[("\u{fffd}\u{fffd}", "")]),
    ("%FF%FE", &[("\u{fffd}\u{fffd}", "")]),
    ("test=%FE%FF", &[("test", "\u{fffd}\u{fffd}")]),
    ("test=%FF%FE", &[("test", "\u{fffd}\u{fffd}")]),
    ("†&†=x", &[("†", ""), ("†", "x")]),
    ("test=†", &[("test", "†")]),
    ("é=1&%C3%A9=2", &[("é", "1"), ("é", "2")]),
    ("%C2", &[("\u{fffd}", "")]),
    ("test=%C2", &[("test", "\u{fffd}")]),
    ("%C2x", &[("\u{fffd}x", "")]),
    ("_charset_=windows-1252&test=%C2x", &[("_charset_", "windows-1252"), ("test", "\u{fffd}x")]),
    ("_charset_=utf-16le&test=%E2%82%AC", &[("_charset_", "utf-16le"), ("test", "€")]),
    // Truncated, overlong, a surrogate, and beyond the last code point: one U+FFFD for each
    // maximal subpart.
    ("test=%F0%9F%92%A9", &[("test", "💩")]),
    ("test=%F0%9F%92", &[("test", "\u{fffd}")]),
    ("test=%F0%9F%92x%E2%82", &[("test", "\u{fffd}x\u{fffd}")]),
    ("test=%C0%80", &[("test", "\u{fffd}\u{fffd}")]),
    ("test=%ED%A0%80", &[("test", "\u{fffd}\u{fffd}\u{fffd}")]),
    ("test=%F4%90%80%80", &[("test", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}")]),
    ("a", &[("a", "")]),
    ("a=b", &[("a", "b")]),
    ("a=", &[("a", "")]),
    ("=b", &[("", "b")]),
    ("=", &[("", "")]),
    ("==", &[("", "=")]),
    ("&", &[]),
    ("&&", &[]),
    ("&a", &[("a", "")]),
    ("a&", &[("a", "")]),
    ("a&a", &[("a", ""), ("a", "")]),
    ("a&b&c", &[("a", ""), ("b", ""), ("c", "")]),
    ("a=b&c=d", &[("a", "b"), ("c", "d")]),
    ("a=b&c=d&", &[("a", "b"), ("c", "d")]),
    ("&&&a=b&&&&c=d&", &[("a", "b"), ("c", "d")]),
    ("a=a&a=b&a=c", &[("a", "a"), ("a", "b"), ("a", "c")]),
    ("a==a", &[("a", "=a")]),
    ("a=b=c=", &[("a", "b=c=")]),
    ("a=a+b+c+d", &[("a", "a b c d")]),
    ("a=%20+%2B", &[("a", "  +")]),
    ("+a=1&a+=2", &[(" a", "1"), ("a ", "2")]),
    ("%=a", &[("%", "a")]),
    ("%a=a", &[("%a", "a")]),
    ("%a_=a", &[("%a_", "a")]),
    ("%61=a", &[("a", "a")]),
    ("%61+%4d%4D=", &[("a MM", "")]),
    ("%4d%4D=1", &[("MM", "1")]),
    ("id=0&value=%", &[("id", "0"), ("value", "%")]),
    ("b=%2sf%2a", &[("b", "%2sf*")]),
    ("b=%2%2af%2a", &[("b", "%2*f*")]),
    ("b=%%2a", &[("b", "%*")]),
    ("b=%25%32%61", &[("b", "%2a")]),
    ("b=%u2603", &[("b", "%u2603")]),
    ("a=1;b=2", &[("a", "1;b=2")]),
    ("a;b", &[("a;b", "")]),
    ("a=1%26b=2", &[("a", "1&b=2")]),
    ("a%3D1=2", &[("a=1", "2")]),
    ("a=b?c=d", &[("a", "b?c=d")]),
    ("?a=b", &[("?a", "b")]),
    ("a=%23b", &[("a", "#b")]),
    ("a=%00&b=%0A%0D%09", &[("a", "\0"), ("b", "\n\r\t")]),
    ("a=%22%27%5C%3C", &[("a", "\"'\\<")]),
    ("a=//c:1@[::]", &[("a", "//c:1@[::]")]),
    ("a[]=1&a[0]=2&a.b=3", &[("a[]", "1"), ("a[0]", "2"), ("a.b", "3")]),
    ("A=1&a=2", &[("A", "1"), ("a", "2")]),
    ("a=&a=1", &[("a", ""), ("a", "1")]),
    ("__proto__=1&constructor=2&a=3", &[("__proto__", "1"), ("constructor", "2"), ("a", "3")]),
];

/// The names above that are valid BigQuery column names.
const COLUMNS: [&str; 12] = ["a", "b", "c", "test", "é", "_charset_", "id", "value", "MM", "__proto__", "constructor", "tests"];

#[tokio::test]
async fn a_query_is_read_by_the_rules_of_form_urlencoded() {
    let (_dir, schema) = schema_file(repeated(&COLUMNS));
    let settings = [("SCHEMA_FILE", schema.as_str()), ("VALID_ATTRIBUTES", &COLUMNS.join(",")), ("TABLE_SUFFIX", "")];
    let asked: Vec<String> = URLENCODED.iter().map(|(query, _)| format!("https://t.example.com/pixel.png?{query}")).collect();
    let explanations = urls(&settings, &asked.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(explanations.len(), URLENCODED.len());
    for ((query, pairs), explanation) in URLENCODED.iter().zip(explanations) {
        let values = |name: &str| pairs.iter().filter(|(of, _)| *of == name).map(|(_, value)| json!(value)).collect::<Vec<_>>();
        let expected: serde_json::Map<String, Value> =
            COLUMNS.iter().map(|name| ((*name).to_owned(), Value::Array(values(name)))).filter(|(_, all)| *all != json!([])).collect();
        assert_eq!(verdict(&explanation), ("stored", ""), "{query}");
        assert_eq!(explanation["row"], Value::Object(expected), "{query}");
    }
}

#[tokio::test]
async fn a_scalar_column_takes_the_first_value_of_a_parameter() {
    let explanation = urls(&[], &["https://t.example.com/pixel.png?user_id=first&user_id=second&type=&type=late"]).await.remove(0);
    assert_eq!(explanation["row"]["user_id"], "first");
    assert_eq!(explanation["row"]["type"], "");
}

#[tokio::test]
async fn the_fragment_is_not_part_of_the_query() {
    for (url, order_id) in [
        ("https://t.example.com/pixel.png?user_id=u&order_id=1#order_id=2", json!("1")),
        ("https://t.example.com/pixel.png?user_id=u&order_id=1%232", json!("1#2")),
        ("https://t.example.com/pixel.png?user_id=u#?order_id=1", Value::Null),
        ("https://t.example.com/pixel.png?user_id=u#a#&order_id=1", Value::Null),
    ] {
        assert_eq!(urls(&[], &[url]).await[0]["row"]["order_id"], order_id, "{url}");
    }
    let explanation = urls(&[], &["https://t.example.com/pixel.png#?user_id=u"]).await.remove(0);
    assert_eq!(verdict(&explanation), ("filtered", "missing_attribute"));
}

#[tokio::test]
async fn a_url_with_an_invalid_host_still_yields_its_query() {
    let hosts = [
        "https://t.example.com:443",
        "HTTPS://T.EXAMPLE.COM",
        "http://[2001:db8::1]:8080",
        "http://[::bad",
        "http://%zz%",
        "http://:99999999",
        "http://a b c",
        "http://user:p@ss@host",
        "http://<script>",
        "https://\u{202e}evil",
        "https://",
        "//t.example.com",
        "",
        "http://xn--a",
        "http://256.256.256.256",
        "gopher://h",
        "http://h\\@x",
    ];
    for host in hosts {
        let explanation = urls(&[], &[&format!("{host}/pixel.png?user_id=u1&order_id=7")]).await.remove(0);
        assert_eq!(verdict(&explanation), ("stored", ""), "{host}");
        assert_eq!((&explanation["row"]["user_id"], &explanation["row"]["order_id"]), (&json!("u1"), &json!("7")), "{host}");
    }
}

#[tokio::test]
async fn pixel_path_accepts_any_encoding_and_a_final_star() {
    for (setting, path, outcome) in [
        ("/t/*", "/t/abc.gif", ("stored", "")),
        ("/t/*", "/other/abc.gif", ("filtered", "path")),
        ("/open pixel.png", "/open%20pixel.png", ("stored", "")),
        ("/öffnen.png", "/%C3%B6ffnen.png", ("stored", "")),
        ("/%c3%b6ffnen.png", "/öffnen.png", ("stored", "")),
        ("/pixel.png", "/pixel%2Epng", ("stored", "")),
    ] {
        let explanation = urls(&[("PIXEL_PATH", setting)], &[&format!("https://t.example.com{path}?user_id=u")]).await.remove(0);
        assert_eq!(verdict(&explanation), outcome, "PIXEL_PATH={setting} {path}");
    }
    let refused = run(&[("PIXEL_PATH", "pixel.png,/b.png?x=1")], &["/pixel.png"], b"").await;
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("use /pixel.png") && refused.err.contains("use /b.png"), "{}", refused.err);
}

#[tokio::test]
async fn methods_and_status_decide_which_requests_count() {
    let entry = |method: &str, status: Value| {
        Entry::of_query("user_id=u").with("/httpRequest/requestMethod", json!(method)).with("/httpRequest/status", status).json()
    };
    let beacon = [("PIXEL_METHODS", "GET,POST"), ("STATUS", "2xx,304,none,405")];
    for (settings, line, outcome) in [
        (&[][..], entry("GET", json!(206)), ("stored", "")),
        (&[], entry("GET", json!("304")), ("stored", "")),
        (&[], entry("GET", json!(null)), ("stored", "")),
        (&[], entry("GET", json!(0)), ("stored", "")),
        (&[], entry("GET", json!(307)), ("filtered", "status")),
        (&[], entry("GET", json!("403")), ("filtered", "status")),
        (&[], entry("GET", json!(403.0)), ("filtered", "status")),
        (&[], entry("GET", json!("denied")), ("filtered", "status")),
        (&[], entry("GET", json!({"code": 200})), ("filtered", "status")),
        (&[("STATUS", "any")], entry("GET", json!("denied")), ("stored", "")),
        (&[("STATUS", "2xx")], entry("GET", json!(null)), ("filtered", "status")),
        (&beacon, entry("POST", json!(405)), ("stored", "")),
        (&beacon, entry("GET", json!(404)), ("filtered", "status")),
        (&beacon[..1], entry("POST", json!(405)), ("filtered", "status")),
        (&[("PIXEL_METHODS", "POST")], entry("GET", json!(200)), ("filtered", "method")),
    ] {
        assert_eq!(verdict(&lines(settings, &line).await[0]), outcome, "{settings:?} {line}");
    }
}

#[tokio::test]
async fn parameters_that_are_not_kept_are_named() {
    let url = "https://t.example.com/pixel.png?user_id=u&utm_campaign=spring&bare&utm_campaign=x&dnt=0&user_id%5B%5D=2";
    let explanation = urls(&[], &[url]).await.remove(0);
    assert_eq!(explanation["not_kept"], json!(["utm_campaign", "user_id[]"]));
    assert!(!explanation.to_string().contains("spring"));
    let missing = urls(&[], &["https://t.example.com/pixel.png?userid=u"]).await.remove(0);
    assert_eq!((verdict(&missing), &missing["not_kept"]), (("filtered", "missing_attribute"), &json!(["userid"])));
    let text = run(&[], &[url, "--format", "text"], b"").await;
    assert!(text.out.contains("\n  not kept: utm_campaign, user_id[] (VALID_ATTRIBUTES)\n"), "{}", text.out);
    let all = urls(&[], &["https://t.example.com/pixel.png?user_id=u&type=click"]).await.remove(0);
    assert_eq!((all.get("not_kept"), all.get("html_escaped")), (None, None));
}

#[tokio::test]
async fn an_html_escaped_url_is_read_and_named() {
    let url = "https://t.example.com/pixel.png?user_id=u1&amp;type=open&amp;order_id=7";
    let explanation = urls(&[], &[url]).await.remove(0);
    assert_eq!((&explanation["row"]["type"], &explanation["row"]["order_id"]), (&json!("open"), &json!("7")));
    assert_eq!((&explanation["html_escaped"], explanation.get("not_kept")), (&json!(true), None));
    let text = run(&[], &[url, "--format", "text"], b"").await;
    assert!(text.out.contains("read &amp; as &"), "{}", text.out);
}

#[tokio::test]
async fn pixel_path_is_a_list_of_exact_paths_or_a_star() {
    let asked = ["/pixel.png", "/p.gif", "/", "/PIXEL.PNG", "/pixel.png/", "/a/pixel.png", "//pixel.png", "/pixel%2Fpng"];
    for (setting, stored) in [
        ("/pixel.png", &asked[..1]),
        ("/pixel.png,/p.gif", &asked[..2]),
        (" /p.gif , /pixel.png , / ", &asked[..3]),
        ("*", &asked[..]),
        ("/p.gif,*", &asked[..]),
    ] {
        let of_paths: Vec<String> = asked.iter().map(|path| format!("https://t.example.com{path}?user_id=u")).collect();
        let explanations = urls(&[("PIXEL_PATH", setting)], &of_paths.iter().map(String::as_str).collect::<Vec<_>>()).await;
        for (path, explanation) in asked.iter().zip(explanations) {
            let expected = if stored.contains(path) { ("stored", "") } else { ("filtered", "path") };
            assert_eq!(verdict(&explanation), expected, "PIXEL_PATH={setting} {path}");
        }
    }
}

#[tokio::test]
async fn methods_other_than_get_are_filtered() {
    let entry = Entry::of_query("user_id=u");
    for method in ["HEAD", "POST", "OPTIONS", "get", "GET "] {
        let line = entry.clone().with("/httpRequest/requestMethod", json!(method)).json();
        assert_eq!(verdict(&lines(&[], line).await[0]), ("filtered", "method"), "{method:?}");
    }
}

#[tokio::test]
async fn table_suffix_determines_the_table_name() {
    let entry = Entry::of_query(&format!("user_id={USER}&order_id=a-b&type=click")).json();
    for (template, table) in [
        ("_{user_id}_{date}", "pixel_507f1f77bcf86cd799439011_20260102"),
        // The suffix of the original pipeline, which existing queries expect.
        ("_{user_id}_{date:%-m_%-d_%Y}", "pixel_507f1f77bcf86cd799439011_1_2_2026"),
        ("", "pixel"),
        ("_all", "pixel_all"),
        ("_{date}", "pixel_20260102"),
        ("_{date:%Y%m}", "pixel_202601"),
        ("{date:%H}", "pixel03"),
        ("_{type}_{order_id}", "pixel_click_a__2db"),
    ] {
        let explanation = lines(&[("TABLE_SUFFIX", template)], &entry).await.remove(0);
        assert_eq!(explanation["table"], table, "{template}");
        assert_eq!(format!("pixel{}", explanation["suffix"].as_str().unwrap()), table, "{template}");
        assert_eq!(explanation["row"]["order_id"], "a-b", "the column keeps the true value");
    }
    let explanation = lines(&[("TABLE_SUFFIX", ""), ("TABLE_NAME", "hits")], Entry::of_query("a=b").json()).await.remove(0);
    assert_eq!((verdict(&explanation), &explanation["table"]), (("stored", ""), &json!("hits")));
}

#[tokio::test]
async fn hostile_user_ids_result_in_valid_table_names() {
    for user_id in ["a-b", "a__2db", "%2e%2e%2f", "%00", "%F0%9F%92%A9", "`;DROP", "x_20260102", &"u".repeat(60_000), "%FF"] {
        let explanation = urls(&[], &[&format!("https://t.example.com/pixel.png?user_id={user_id}")]).await.remove(0);
        let table = explanation["table"].as_str().unwrap_or_else(|| panic!("{explanation}"));
        assert!(table.len() <= 1024 && table.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()), "{table}");
    }
}

#[tokio::test]
async fn an_invalid_value_becomes_null_and_is_listed() {
    let (_dir, schema) = schema_file(json!([
        {"name": "user_id", "type": "STRING", "maxLength": "3"}, {"name": "order_id", "type": "INT64"}, {"name": "type", "type": "BOOL", "mode": "REPEATED"},
        {"name": "invalid_attributes", "type": "STRING", "mode": "REPEATED"},
    ]));
    let settings = [("SCHEMA_FILE", schema.as_str()), ("TABLE_SUFFIX", "")];
    let url = "https://t.example.com/pixel.png?user_id=long&order_id=1.5&type=true&type=maybe&type=0";
    let explanation = urls(&settings, &[url]).await.remove(0);
    assert_eq!(explanation["row"], json!({"type": [true, false], "invalid_attributes": ["user_id", "order_id", "type"]}));
}

#[tokio::test]
async fn only_valid_attributes_become_columns() {
    let (_dir, schema) = schema_file(json!([
        {"name": "user_id", "type": "STRING"}, {"name": "email", "type": "STRING"}, {"name": "event_id", "type": "STRING"}, {"name": "host", "type": "STRING"},
    ]));
    let settings = [("SCHEMA_FILE", schema.as_str()), ("VALID_ATTRIBUTES", "user_id")];
    let url = "https://t.example.com:8443/pixel.png?user_id=u&email=a%40example.com&event_id=mine&host=evil";
    let explanation = urls(&settings, &[url]).await.remove(0);
    assert_eq!(explanation["row"], json!({"user_id": "u", "event_id": explanation["insert_id"], "host": "t.example.com"}));
}

#[tokio::test]
async fn urls_come_before_the_lines_of_a_file() {
    let dir = TempDir::new();
    let file = dir.path().join("entries.jsonl");
    std::fs::write(&file, format!("{}\n{}", Entry::of_query("user_id=b").json(), Entry::of_query("user_id=c").json())).unwrap();
    let explained = run(&[], &["https://t.example.com/pixel.png?user_id=a", "--input", file.to_str().unwrap()], b"").await;
    let users: Vec<_> = explained.lines().iter().map(|line| line["row"]["user_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(users, ["a", "b", "c"]);
}

#[tokio::test]
async fn blank_lines_are_skipped_and_a_final_line_feed_is_optional() {
    let [one, two] = ["user_id=a", "user_id=b"].map(|query| Entry::of_query(query).json());
    assert_eq!(lines(&[], format!("\n\r\n  \t\n{one}\r\n\n{two}")).await.len(), 2);
    for empty in ["", "\n\n"] {
        let explained = run(&[], &["--input", "-"], empty.as_bytes()).await;
        assert_eq!((explained.code, explained.out.as_str()), (Some(0), ""));
        assert_eq!(explained.err, "nothing to explain: - has no entries\n");
    }
}

#[tokio::test]
async fn hostile_lines_are_dead_letters_and_reading_continues() {
    let deep = format!("x{}", "[".repeat(1_000_000));
    let input = [
        b"{\"httpRequest\":{\"requestUrl\":\"https://t.example.com/pixel.png?user_id=\xff\"}}".as_slice(),
        b"\xff\xfe\x00{",
        b"\0\0\0\0",
        deep.as_bytes(),
        &[b'{', b'"'].repeat(10_000),
        br#"{"message":{"data":"AAECAw==","messageId":"1"}}"#,
        br#"{"httpRequest":{"requestUrl":"\ud800"}}"#,
        br#"{"httpRequest":"https://t.example.com/pixel.png?user_id=u"}"#,
        br#"{"insertId":"a","insertId":"b","httpRequest":{"requestUrl":"https://t.example.com/pixel.png?user_id=u"}}"#,
        b"NaN",
        b"null",
    ];
    let good = Entry::of_query("user_id=u").json();
    let explanations = lines(&[], [&input.join(&b'\n'), good.as_bytes()].join(&b'\n')).await;
    assert_eq!(explanations.len(), input.len() + 1);
    for (line, explanation) in input.iter().zip(&explanations) {
        let line = String::from_utf8_lossy(&line[..line.len().min(80)]);
        assert_eq!(verdict(explanation), ("dead_letter", "bad_json"), "{line}");
    }
    assert_eq!(verdict(&explanations[input.len()]), ("stored", ""));
}

#[tokio::test]
async fn unread_members_may_have_any_value() {
    let odd = [
        Entry::of_query("user_id=u").with("/jsonPayload", json!(null)),
        Entry::of_query("user_id=u").with("/jsonPayload", json!([[[]]])),
        Entry::of_query("user_id=u").with("/severity", json!({"a": 1})),
        Entry::of_query("user_id=u").with("/trace", json!([1])),
        Entry::of_query("user_id=u").with("/httpRequest/status", json!("200")),
        Entry::of_query("user_id=u").with("/httpRequest/latency", json!({"seconds": 1})),
        Entry::of_query("user_id=u").with("/httpRequest/userAgent", json!(7)),
        Entry::of_query("user_id=u").with("/insertId", json!(123)),
    ];
    let deep =
        Entry::of_query("user_id=u").json().replacen('{', &format!("{{\"jsonPayload\":{}{},", "[".repeat(50_000), "]".repeat(50_000)), 1);
    let input = odd.iter().map(Entry::json).chain([deep]).collect::<Vec<_>>().join("\n");
    for explanation in lines(&[], input).await {
        assert_eq!(verdict(&explanation), ("stored", ""), "{explanation}");
    }
}

/// serde also reads a struct from an array, member by member. Google sends no such arrays.
#[tokio::test]
async fn an_array_is_a_list_of_entries_and_not_an_entry() {
    let url = "https://t.example.com/pixel.png?user_id=u";
    let entry = json!(["projects/p/logs/requests", "id", "2026-01-02T03:04:05Z", "", "", {"requestMethod": "GET", "requestUrl": url}]);
    let push = json!([{"data": STANDARD.encode(Entry::of_query("user_id=u").json()), "messageId": "1"}]);
    assert_eq!(verdict(&lines(&[], entry.to_string()).await[0]), ("dead_letter", "bad_json"));
    // An array of messages, each an element.
    assert_eq!(verdict(&lines(&[], push.to_string()).await[0]), ("stored", ""));
}

#[tokio::test]
async fn every_entry_of_an_array_is_explained_in_order() {
    let entries: Vec<Value> = (0..3).map(|order| Entry::of_query(&format!("user_id=u&order_id={order}")).0).collect();
    let pretty = serde_json::to_string_pretty(&entries).unwrap();
    let snake = entries[0].to_string().replace("httpRequest", "http_request").replace("requestUrl", "request_url");
    for (input, orders) in
        [(pretty.clone(), &["0", "1", "2"][..]), (format!("\u{feff}{}", pretty.replace('\n', "\r\n")), &["0", "1", "2"]), (snake, &["0"])]
    {
        let explanations = lines(&[], &input).await;
        let found: Vec<&str> = explanations.iter().map(|explanation| explanation["row"]["order_id"].as_str().unwrap()).collect();
        assert_eq!(found, orders, "{input}");
    }
    let cut = run(&[], &["--input", "-"], &pretty.as_bytes()[..pretty.len() - 2]).await;
    assert_eq!((cut.code, cut.out.lines().count()), (Some(2), 3), "{}", cut.err);
    assert!(cut.err.contains("the array is not closed"), "{}", cut.err);
    let empty = run(&[], &["--input", "-"], b"[]").await;
    assert_eq!((empty.code, empty.out.as_str()), (Some(0), ""));
    assert!(empty.err.contains("nothing to explain"), "{}", empty.err);
}

#[tokio::test]
async fn another_format_than_json_is_refused_with_a_command() {
    let utf_16: Vec<u8> = "{}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (input, command) in [(utf_16.as_slice(), "iconv"), (b"url,time\n/pixel.png,1\n", "mlr")] {
        let refused = run(&[], &["--input", "-"], input).await;
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
        assert!(refused.err.contains(command), "{}", refused.err);
    }
}

#[tokio::test]
async fn a_line_of_five_megabytes_is_explained() {
    let long = "x".repeat(5 << 20);
    let explanation = lines(&[], wrapped(Entry::of_query(&format!("user_id=u&order_id={long}")).json().as_bytes(), "1")).await.remove(0);
    assert_eq!(explanation["row"]["order_id"].as_str().map(str::len), Some(long.len()));
}

#[tokio::test]
async fn text_output_replaces_control_characters() {
    let input = [
        Entry::of_query("user_id=u&order_id=%1B%5B31m%07&type=%C2%9B31m%7F").json(),
        Entry::of_query("order_id=1").json(),
        "{}".to_owned(),
    ]
    .join("\n");
    let explained = run(&[], &["--format", "text", "--input", "-"], input.as_bytes()).await;
    assert_eq!((explained.code, explained.err.as_str()), (Some(0), ""));
    for expected in
        ["stored\n", "pixel_u_20260102\n", "user_id = \"u\"\n", "filtered: missing_attribute\n", "dead_letter: no_request_url\n"]
    {
        assert!(explained.out.contains(expected), "{expected:?} is not in:\n{}", explained.out);
    }
    let control = explained.out.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(control, None, "control characters of untrusted text do not reach the terminal");
}

#[tokio::test]
async fn json_is_the_default_without_a_terminal() {
    let explained =
        run(&[("TABLE_NAME", "environment")], &["--table-name", "flag", "https://t.example.com/pixel.png?user_id=u"], b"").await;
    let table = explained.lines()[0]["table"].as_str().unwrap().to_owned();
    assert!(table.starts_with("flag_u_"), "{table}");
}

#[tokio::test]
async fn unreadable_input_exits_with_2_and_names_the_file() {
    let dir = TempDir::new();
    let missing = dir.path().join("missing.jsonl");
    for input in [missing.to_str().unwrap(), dir.path().to_str().unwrap()] {
        let explained = run(&[], &["--input", input], b"").await;
        assert_eq!((explained.code, explained.out.as_str()), (Some(2), ""), "{input}");
        assert!(explained.err.contains(input), "{}", explained.err);
    }
}

#[tokio::test]
async fn missing_input_exits_with_2_and_names_the_option() {
    let explained = run(&[], &[], b"").await;
    assert_eq!((explained.code, explained.out.as_str()), (Some(2), ""));
    assert!(explained.err.contains("--input"), "{}", explained.err);
}

#[tokio::test]
async fn all_invalid_settings_are_named_and_exit_with_2() {
    let settings = [("VALID_ATTRIBUTES", "user_id,session,campaign"), ("PIXEL_PATH", "pixel.png"), ("TABLE_NAME", "no name")];
    let explained = run(&settings, &["https://t.example.com/pixel.png?user_id=u"], b"").await;
    assert_eq!((explained.code, explained.out.as_str()), (Some(2), ""));
    for name in ["PIXEL_PATH", "TABLE_NAME"] {
        assert!(explained.err.contains(name), "{name} is not in: {}", explained.err);
    }
    // The schema is compared with the whole list.
    let explained = run(&settings[..1], &["https://t.example.com/pixel.png?user_id=u"], b"").await;
    assert_eq!(explained.code, Some(2));
    assert!(explained.err.contains("session, campaign"), "every offender at once: {}", explained.err);
    let explained = run(&[("SCHEMA_FILE", "/nonexistent/schema.json")], &["/pixel.png"], b"").await;
    assert_eq!(explained.code, Some(2));
    assert!(explained.err.contains("SCHEMA_FILE: /nonexistent/schema.json"), "{}", explained.err);
}

#[tokio::test]
async fn a_closed_output_pipe_is_not_a_failure() {
    let mut child =
        command("explain").args(["--input", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let line = Entry::of_query("user_id=u").json() + "\n";
    let feed = tokio::spawn(async move { while stdin.write_all(line.as_bytes()).await.is_ok() {} });
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).await.unwrap();
    drop(out);
    let status = tokio::time::timeout(TIMEOUT, child.wait()).await.expect("explain ends with its reader").unwrap();
    feed.await.unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).await.unwrap();
    assert_eq!((status.code(), err.as_str()), (Some(0), ""));
    assert!(first.contains("\"outcome\":\"stored\""), "{first}");
}

#[tokio::test]
async fn each_line_is_answered_at_once_with_one_line() {
    let mut child = command("explain").args(["--lines", "--input", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let entry = Entry::of_query("user_id=u&type=open").json();
    let push = wrapped(entry.as_bytes(), "7");
    let other_path = entry.replace("pixel.png", "other.png");
    let inputs = [entry.as_str(), &push, &other_path, "{\"httpRequest\":", "", "[1,2]", &entry];
    let mut answers = Vec::new();
    // The next line is written only after the answer to the one before.
    for input in inputs {
        stdin.write_all(format!("{input}\n").as_bytes()).await.unwrap();
        let answer = tokio::time::timeout(TIMEOUT, out.next_line()).await.expect("an answer to each line").unwrap().unwrap();
        answers.push(serde_json::from_str::<Value>(&answer).unwrap());
    }
    drop(stdin);
    assert_eq!(out.next_line().await.unwrap(), None);
    assert_eq!(child.wait().await.unwrap().code(), Some(0));

    let expected = &lines(&[], &entry).await[0];
    for stored in [0, 1, 6] {
        assert_eq!(verdict(&answers[stored]), ("stored", ""));
        for (member, in_explain) in [("row", "row"), ("table", "table"), ("event_id", "insert_id")] {
            assert_eq!(answers[stored][member], expected[in_explain]);
        }
    }
    assert_eq!(answers[2], json!({"outcome": "filtered", "reason": "path", "event_id": null, "row": null}));
    for (answer, reason) in [(3, "bad_json"), (4, "no_data"), (5, "bad_json")] {
        let (answer, input) = (&answers[answer], inputs[answer]);
        assert_eq!(verdict(answer), ("dead_letter", reason));
        assert_eq!(answer["row"]["reason"], reason);
        assert_eq!(answer["row"]["event_id"], answer["event_id"]);
        assert_eq!(answer["row"]["data"], STANDARD.encode(input));
    }
}

/// Only its beginning is known, so it has no outcome.
#[tokio::test]
async fn an_entry_that_is_too_long_is_an_error_and_the_rest_is_explained() {
    let long = Entry::of_query(&format!("user_id=u&x={}", "a".repeat(17 << 20))).json();
    let input = format!("{}\n{long}\n{}\n", Entry::of_query("user_id=u").json(), Entry::of_query("user_id=v").json());
    let explained = run(&[], &["--input", "-"], input.as_bytes()).await;
    assert_eq!((explained.code, explained.out.lines().count()), (Some(2), 2), "{}", explained.err);
    assert!(explained.err.contains("line 2: it has ") && explained.err.contains("the maximum is 16777216"), "{}", explained.err);
    assert!(explained.err.len() < 500, "{} bytes", explained.err.len());
}
