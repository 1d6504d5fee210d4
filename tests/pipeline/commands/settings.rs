//! Settings: their documentation, and the errors for invalid values.

use std::process::Stdio;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use pixel_pipeline::config::command::Command;
use pixel_pipeline::config::settings::SETTINGS;
use pixel_pipeline::source::http::server;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::bigquery::{PROJECT, TempDir};
use crate::support::service::{TIMEOUT, command, output_with_input};
use crate::support::{Entry, Service, TestBigQuery};

/// The result of a service that could not run.
struct Refusal {
    code: Option<i32>,
    log: String,
}

impl Refusal {
    /// The problems, one per line.
    fn problems(&self) -> Vec<String> {
        let line: Value = serde_json::from_str(&self.log).unwrap_or_else(|error| panic!("{error}: {}", self.log));
        let (_, problems) = line["message"].as_str().unwrap().split_once("invalid settings:\n").expect("problems");
        problems.lines().map(str::to_owned).collect()
    }
}

/// Runs `serve` with only these settings and flags until it exits.
async fn refusal(settings: &[(&str, &str)], flags: &[&str]) -> Refusal {
    let mut command = command("serve");
    command.envs(settings.iter().copied()).args(flags).stdin(Stdio::null()).stdout(Stdio::null());
    let output = tokio::time::timeout(TIMEOUT, command.output()).await.expect("the service exits").unwrap();
    Refusal { code: output.status.code(), log: String::from_utf8(output.stderr).unwrap() }
}

/// Valid settings of `serve`. No BigQuery listens at their address.
const GOOD: [(&str, &str); 3] = [("PORT", "0"), ("GOOGLE_CLOUD_PROJECT", PROJECT), ("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")];

fn with<'a>(settings: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    GOOD.into_iter().chain(settings.iter().copied()).collect()
}

/// Every mistake in a single setting.
const MISTAKES: &[(&str, &str)] = &[
    ("PORT", "http"),
    ("PORT", "65536"),
    ("PORT", ""),
    ("GOOGLE_CLOUD_PROJECT", "my project"),
    ("DATASET", "parsed-pixel"),
    ("DATASET", ""),
    ("TABLE_NAME", "pixel$20260102"),
    ("TABLE_NAME", ""),
    ("VALID_ATTRIBUTES", "user_id,order.id"),
    ("VALID_ATTRIBUTES", "user_id,,order_id"),
    ("VALID_ATTRIBUTES", "user_id,"),
    ("VALID_ATTRIBUTES", "user_id,_PARTITIONTIME"),
    ("VALID_ATTRIBUTES", "user_id,ü,Ü"),
    // The service fills these columns.
    ("VALID_ATTRIBUTES", "user_id,event_id"),
    ("VALID_ATTRIBUTES", "user_id,EVENT_ID"),
    ("VALID_ATTRIBUTES", "user_id,event_timestamp"),
    ("VALID_ATTRIBUTES", "user_id,referer"),
    ("VALID_ATTRIBUTES", "user_id,status"),
    ("VALID_ATTRIBUTES", "user_id,remote_ip"),
    ("VALID_ATTRIBUTES", "user_id,signed"),
    ("VALID_ATTRIBUTES", "user_id,Invalid_Attributes"),
    ("VALID_ATTRIBUTES", "user_id,order_id,USER_ID"),
    ("TABLE_SUFFIX", "_{session}"),
    ("TABLE_SUFFIX", "_{user_id"),
    ("TABLE_SUFFIX", "-{user_id}"),
    ("TABLE_SUFFIX", "_{date:%!}"),
    ("TABLE_SUFFIX", "_{user_id}_{date:YYYYMMDD}"),
    ("TABLE_SUFFIX", "_{campaign}"),
    ("TABLE_SUFFIX", "_{User_Id}"),
    ("MAX_NEW_TABLES_PER_HOUR", "0"),
    ("MAX_NEW_TABLES_PER_HOUR", "many"),
    ("OVERFLOW_SUFFIX", ""),
    ("OVERFLOW_SUFFIX", "_{user_id}"),
    ("OVERFLOW_SUFFIX", "-overflow"),
    ("OVERFLOW_SUFFIX", "_overflow_{date:day}"),
    ("PIXEL_PATH", "pixel.png"),
    ("PIXEL_PATH", "/pixel.png,"),
    ("PIXEL_PATH", "/pixel.png,,/p.png"),
    ("PIXEL_PATH", ""),
    ("PIXEL_PATH", "/pixel.png?user_id=1"),
    ("PIXEL_PATH", "/t/*.gif"),
    ("PIXEL_PATH", "https://track.example.com/pixel.png"),
    ("PIXEL_PATH", "/a/../pixel.png"),
    ("PIXEL_METHODS", "GTE"),
    ("PIXEL_METHODS", ""),
    ("PIXEL_METHODS", "GET,,POST"),
    ("STATUS", "2x"),
    ("STATUS", ""),
    ("STATUS", "2xx,"),
    ("STATUS", "200-299"),
    ("HASH_ATTRIBUTES", "email"),
    ("HASH_ATTRIBUTES", "user_id,,order_id"),
    ("SCHEMA_FILE", "/nonexistent/schema.json"),
    ("IP_ANONYMIZATION", "anonymous"),
    ("HASH_USER_IDS", "true"),
    ("RESPECT_OPT_OUT", "sometimes"),
    ("URL_SIGNING_KEY", "short"),
    ("SIGNATURE_MODE", "ignore"),
    ("DEAD_LETTER_TABLE", "dead letters"),
    ("DEAD_LETTER_TABLE", ""),
    // A query over `pixel*` would read this table.
    ("DEAD_LETTER_TABLE", "pixel_dead_letters"),
    ("DEAD_LETTER_TABLE", "pixel"),
    ("AUTO_CREATE", "maybe"),
    ("BATCH_MAX_ROWS", "0"),
    ("BATCH_MAX_ROWS", "50001"),
    ("BATCH_MAX_BYTES", "8MiB"),
    ("BATCH_MAX_BYTES", "10000000"),
    ("BATCH_MAX_INSERTS", "-1"),
    ("BATCH_MAX_LINGER", "-1ms"),
    ("BATCH_MAX_LINGER", "591s"),
    ("BATCH_GZIP", "6"),
    ("MAX_IN_FLIGHT", "0"),
    ("MAX_IN_FLIGHT", "1e3"),
    ("PUSH_DEADLINE", "591s"),
    ("PUSH_DEADLINE", "0"),
    ("PUSH_DEADLINE", "ten seconds"),
    ("PUSH_DEADLINE", "NaN"),
    ("PUSH_AUTH", "basic"),
    // A path would be ignored silently.
    ("PUSH_AUDIENCE", "https://pixel.example.com"),
    ("PUSH_SERVICE_ACCOUNT", "pixel-push"),
    ("PUSH_JWKS_URL", "certs"),
    ("PUSH_JWKS_URL", "file:///etc/certs.json"),
    ("PUSH_AUTH_FORCE", "maybe"),
    ("LOG_FORMAT", "xml"),
    ("RUST_LOG", "pixel_pipeline=loud"),
    ("BIGQUERY_EMULATOR_HOST", "http://"),
    ("BIGQUERY_EMULATOR_HOST", "ftp://127.0.0.1:9050"),
    ("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9050/bigquery/v2"),
];

#[tokio::test]
async fn an_invalid_setting_exits_with_2_and_is_named_in_one_line() {
    for (name, value) in MISTAKES {
        let refusal = refusal(&with(&[(name, value)]), &[]).await;
        assert_eq!(refusal.code, Some(2), "{name}={value}: {}", refusal.log);
        let problems = refusal.problems();
        assert_eq!(problems.len(), 1, "{name}={value}: {problems:?}");
        // If two settings exclude each other, the error has the name of the other one.
        let named = if *name == "PUSH_AUDIENCE" { "PUSH_AUTH" } else { name };
        assert!(problems[0].starts_with(&format!("{named}: ")), "{name}={value}: {problems:?}");
    }
}

#[tokio::test]
async fn an_invalid_schema_file_is_rejected_with_the_reason() {
    let dir = TempDir::new();
    let file = dir.path().join("schema.json");
    let path = file.to_str().unwrap();
    for (text, why) in [
        ("", "not a JSON array"),
        ("[]", "no columns"),
        (r#"[{"name":"a","type":"STRING"},{"name":"A","type":"STRING"}]"#, "\"A\" exists twice"),
        (r#"[{"name":"a.b","type":"STRING"}]"#, "\"a.b\""),
    ] {
        std::fs::write(&file, text).unwrap();
        let refusal = refusal(&with(&[("SCHEMA_FILE", path)]), &[]).await;
        let problems = refusal.problems();
        assert_eq!((refusal.code, problems.len()), (Some(2), 1), "{text}: {problems:?}");
        assert!(problems[0].starts_with(&format!("SCHEMA_FILE: {path}: ")) && problems[0].contains(why), "{text}: {problems:?}");
    }
}

#[tokio::test]
async fn all_mistakes_are_reported_together_before_the_port_is_bound() {
    // The port is in use, so an attempt to bind it would be an error, too.
    let taken = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let names = [
        "GOOGLE_CLOUD_PROJECT",
        "BIGQUERY_EMULATOR_HOST",
        "DATASET",
        "TABLE_NAME",
        "VALID_ATTRIBUTES",
        "PIXEL_PATH",
        "SCHEMA_FILE",
        "IP_ANONYMIZATION",
        "HASH_USER_IDS",
        "RESPECT_OPT_OUT",
        "URL_SIGNING_KEY",
        "SIGNATURE_MODE",
        "LOG_FORMAT",
        "RUST_LOG",
        "DEAD_LETTER_TABLE",
        "AUTO_CREATE",
        "BATCH_MAX_ROWS",
        "BATCH_MAX_BYTES",
        "BATCH_MAX_INSERTS",
        "BATCH_MAX_LINGER",
        "BATCH_GZIP",
        "MAX_IN_FLIGHT",
        "PUSH_DEADLINE",
        "PUSH_AUTH",
        "PUSH_SERVICE_ACCOUNT",
        "PUSH_JWKS_URL",
        "PUSH_AUTH_FORCE",
    ];
    let value = |name| MISTAKES.iter().find(|(of, _)| *of == name).unwrap().1;
    let settings: Vec<_> = names.iter().map(|name| (*name, value(*name))).chain([("PORT", port.as_str())]).collect();
    let refusal = refusal(&settings, &[]).await;
    assert_eq!(refusal.code, Some(2), "{}", refusal.log);
    let mut named: Vec<_> = refusal.problems().iter().map(|problem| problem.split_once(':').unwrap().0.to_owned()).collect();
    let mut expected = names;
    named.sort();
    expected.sort_unstable();
    assert_eq!(named, expected);
    assert!(!refusal.log.contains("cannot listen"), "{}", refusal.log);
}

/// The syntax of TABLE_SUFFIX is independent of the attributes.
#[tokio::test]
async fn invalid_attributes_do_not_hide_an_invalid_suffix() {
    let refusal = refusal(&with(&[("VALID_ATTRIBUTES", "user.id"), ("TABLE_SUFFIX", "-{date")]), &[]).await;
    let problems = refusal.problems();
    assert!(problems.iter().any(|problem| problem.starts_with("VALID_ATTRIBUTES: ")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.starts_with("TABLE_SUFFIX: ")), "{problems:?}");
}

#[tokio::test]
async fn in_text_format_each_mistake_is_a_line() {
    let refusal = refusal(&with(&[("LOG_FORMAT", "text"), ("PORT", "x"), ("MAX_IN_FLIGHT", "y")]), &[]).await;
    let (_, problems) = refusal.log.split_once("invalid settings:\n").expect("problems");
    assert_eq!(
        problems,
        "PORT: \"x\" is not a whole number from 0 to 65535\nMAX_IN_FLIGHT: \"y\" is not a whole number from 1 to 1000000\n"
    );
}

#[tokio::test]
async fn attributes_without_a_live_column_are_all_named() {
    let bigquery = TestBigQuery::with_template(json!([{"name": "user_id", "type": "STRING"}])).await;
    let settings = with(&[("BIGQUERY_EMULATOR_HOST", bigquery.url.as_str()), ("VALID_ATTRIBUTES", "user_id,session,campaign")]);
    let refusal = refusal(&settings, &[]).await;
    assert_eq!(refusal.code, Some(1), "{}", refusal.log);
    assert!(refusal.log.contains("VALID_ATTRIBUTES names session, campaign"), "{}", refusal.log);
}

/// Once the table exists, its schema wins over a corrected file.
#[tokio::test]
async fn attributes_missing_in_the_schema_file_create_no_table() {
    let bigquery = TestBigQuery::start().await;
    let settings = with(&[("BIGQUERY_EMULATOR_HOST", bigquery.url.as_str()), ("VALID_ATTRIBUTES", "user_id,session,campaign")]);
    let refusal = refusal(&settings, &[]).await;
    assert!(matches!(refusal.code, Some(1 | 2)), "{}", refusal.log);
    assert!(refusal.log.contains("session, campaign"), "{}", refusal.log);
    assert_eq!(bigquery.tables().await, Vec::<String>::new());
}

#[tokio::test]
async fn help_documents_every_environment_variable() {
    let output = command("serve").arg("--help").output().await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    // clap wraps the text at the width of the terminal.
    let help = String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    for setting in SETTINGS.iter().filter(|setting| setting.is_shown_by(Command::Serve)) {
        let (name, flag) = (setting.name, format!("--{}", setting.flag()));
        let (_, after) = help.split_once(&format!(" {flag} <")).unwrap_or_else(|| panic!("{flag} is not in: {help}"));
        // A secret's value is not shown.
        let shown = [format!("[env: {name}="), format!("[env: {name}]")];
        let found = shown.iter().find_map(|shown| after.split_once(shown));
        let (text, _) = found.unwrap_or_else(|| panic!("no {name} in: {after}"));
        let (_, text) = text.split_once("> ").expect("a text after the value's name");
        assert!(text.len() > 15 && !text.contains("[env:"), "{name} is explained where it is named: {text}");
    }
}

#[tokio::test]
async fn a_flag_wins_over_its_environment_variable() {
    let refusal = refusal(&with(&[("PORT", "environment"), ("DATASET", "fine")]), &["--port", "flag", "--dataset", "not fine"]).await;
    let problems = refusal.problems().join("\n");
    assert!(problems.contains("PORT: \"flag\"") && problems.contains("DATASET: \"not fine\""), "{problems}");
    assert!(!problems.contains("environment"), "{problems}");
}

#[tokio::test]
async fn unknown_arguments_of_serve_exit_with_2() {
    for flags in [&["--colour", "red"][..], &["surplus"]] {
        let refusal = refusal(&GOOD, flags).await;
        assert_eq!(refusal.code, Some(2), "{}", refusal.log);
        assert!(refusal.log.contains(flags[0]), "{}", refusal.log);
    }
}

/// A metadata server that knows the project; its address is a host and a port.
async fn metadata_server() -> String {
    let project = async |headers: HeaderMap| match headers.get("metadata-flavor") {
        Some(flavor) if flavor == "Google" => Ok("project-of-the-machine\n"),
        _ => Err(StatusCode::FORBIDDEN),
    };
    let router = Router::new().route("/computeMetadata/v1/project/project-id", get(project));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(server::serve(listener, router, std::future::pending()));
    address
}

#[tokio::test]
async fn the_project_defaults_to_that_of_the_metadata_server() {
    let metadata = metadata_server().await;
    for (given, expected) in [("", "project-of-the-machine"), ("given-project", "given-project")] {
        let bigquery = TestBigQuery::start().await;
        let service = Service::start(&bigquery, &[("GOOGLE_CLOUD_PROJECT", given), ("GCE_METADATA_HOST", &metadata)]).await;
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
        let url = format!("{}/bigquery/v2/projects/{expected}/datasets/parsed_pixel/tables/pixel", bigquery.url);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        assert_eq!(http.get(url).send().await.unwrap().status(), 200, "{expected}");
    }
}

#[tokio::test]
async fn without_project_and_metadata_server_the_error_has_the_fix() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let settings = [("GCE_METADATA_HOST", unused.as_str()), ("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9"), ("PORT", "0")];
    let refusal = refusal(&settings, &[]).await;
    assert_eq!(refusal.code, Some(2), "{}", refusal.log);
    let problems = refusal.problems();
    assert!(problems.len() == 1 && problems[0].starts_with("PROJECT_ID: it is not set"), "{problems:?}");
}

/// The project that `forget` and `replay` address with these variables, arguments, and a settings file with PROJECT_ID.
async fn addressed_project(subcommand: &str, settings: &[(&str, &str)], args: &[&str], of_file: &str) -> String {
    let dir = TempDir::new();
    let file = dir.path().join("pipeline.env");
    std::fs::write(&file, format!("PROJECT_ID={of_file}\n")).unwrap();
    let (seen, mut paths) = tokio::sync::mpsc::unbounded_channel();
    let router = Router::new().fallback(async move |request: axum::extract::Request| {
        let _ = seen.send(request.uri().path().to_owned());
        StatusCode::FORBIDDEN
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bigquery = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(server::serve(listener, router, std::future::pending()));
    let own: &[&str] = if subcommand == "forget" { &["--user-id", "u"] } else { &["--dead-letters"] };
    let file = ["--settings", file.to_str().unwrap()];
    let settings = [settings, &[("BIGQUERY_EMULATOR_HOST", bigquery.as_str())]].concat();
    let output = output_with_input(subcommand, &settings, &[own, &file, args].concat(), b"").await;
    let path = paths.recv().await.unwrap_or_else(|| panic!("no request: {}", String::from_utf8_lossy(&output.stderr)));
    path.split('/').skip_while(|part| *part != "projects").nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn forget_and_replay_take_the_project_as_check_does() {
    for subcommand in ["forget", "replay"] {
        for (settings, args, expected) in [
            (&[][..], &[][..], "of-file"),
            (&[("GOOGLE_CLOUD_PROJECT", "of-google")], &[], "of-file"),
            (&[("PROJECT_ID", "of-variable")], &[], "of-variable"),
            (&[("PROJECT_ID", "of-variable")], &["--project-id", "of-flag"], "of-flag"),
            (&[("PROJECT_ID", "of-variable")], &["--project", "of-flag"], "of-flag"),
            (&[("PROJECT_ID", "of-variable")], &["--google-cloud-project", "of-flag"], "of-flag"),
        ] {
            let project = addressed_project(subcommand, settings, args, "of-file").await;
            assert_eq!(project, expected, "{subcommand} {settings:?} {args:?}");
        }
        assert_eq!(addressed_project(subcommand, &[("GOOGLE_CLOUD_PROJECT", "of-google")], &[], "").await, "of-google");
        assert_eq!(addressed_project(subcommand, &[], &[], "").await, "local", "the project of an emulator");
    }
}

#[tokio::test]
async fn every_command_has_one_flag_for_the_project() {
    for subcommand in ["serve", "local", "check", "replay", "forget", "query"] {
        let output = command(subcommand).arg("--help").output().await.unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert_eq!(help.matches("--project-id <PROJECT>").count(), 1, "{subcommand}: {help}");
        assert!(!help.contains("--project <") && !help.contains("--google-cloud-project"), "{subcommand}: {help}");
    }
}

/// Outside of Google Cloud, the name of the metadata server may resolve to any address, or to none.
#[tokio::test]
async fn a_hanging_metadata_server_does_not_block_the_start() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let started = Instant::now();
    let refusal = refusal(&[("GCE_METADATA_HOST", address.as_str()), ("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")], &[]).await;
    assert_eq!(refusal.code, Some(2), "{}", refusal.log);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[tokio::test]
async fn an_emulator_is_refused_on_cloud_run() {
    let refusal = refusal(&with(&[("K_SERVICE", "pixel-pipeline")]), &[]).await;
    assert_eq!(refusal.code, Some(2), "{}", refusal.log);
    let problems = refusal.problems();
    assert!(problems.len() == 1 && problems[0].starts_with("BIGQUERY_EMULATOR_HOST: "), "{problems:?}");
}

#[tokio::test]
async fn an_emulator_address_is_a_url_or_host_and_port() {
    let bigquery = TestBigQuery::start().await;
    let host = bigquery.url.strip_prefix("http://").unwrap();
    for address in
        [bigquery.url.clone(), format!("{}/", bigquery.url), host.to_owned(), host.replace("127.0.0.1", "localhost"), format!(" {host} ")]
    {
        let service = Service::start_unready(&address, &[]).await;
        service.wait_until_ready().await;
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204, "{address}");
    }
}

#[tokio::test]
async fn a_dead_letter_table_may_have_another_name() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("DEAD_LETTER_TABLE", "not_pixel")]).await;
    assert_eq!(service.push(r#"{"message":{"data":"%%%","messageId":"1"}}"#).await.status, 204);
    assert_eq!(bigquery.rows("not_pixel").await.len(), 1);
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_setting() {
    let taken = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refusal = refusal(&with(&[("PORT", &port)]), &[]).await;
    assert_eq!(refusal.code, Some(1), "{}", refusal.log);
    assert!(refusal.log.contains(&format!("cannot listen on port {port} (PORT)")), "{}", refusal.log);
}

#[tokio::test]
async fn unreadable_credentials_stop_the_service() {
    let dir = TempDir::new();
    let file = dir.path().join("key.json");
    std::fs::write(&file, "{}").unwrap();
    let settings = [("PORT", "0"), ("GOOGLE_CLOUD_PROJECT", PROJECT), ("GOOGLE_APPLICATION_CREDENTIALS", file.to_str().unwrap())];
    let refusal = refusal(&settings, &[]).await;
    assert_eq!(refusal.code, Some(1), "{}", refusal.log);
    assert!(refusal.log.contains("cannot get credentials for BigQuery: cannot get an access token"), "{}", refusal.log);
}
