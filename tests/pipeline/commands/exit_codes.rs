//! The exit codes of all commands: 0 done, 1 failed, 2 usage; and the prefix of their errors.

use std::process::Stdio;

use pixel_pipeline::config::command::Command;
use tokio::net::TcpListener;

use crate::support::bigquery::TempDir;
use crate::support::service::{TIMEOUT, command};

/// Exit code and standard error of a run.
async fn run(subcommand: &str, settings: &[(&str, &str)], args: &[&str]) -> (Option<i32>, String) {
    let dir = TempDir::new();
    let mut command = command(subcommand);
    command.current_dir(dir.path()).env("LOG_FORMAT", "text").envs(settings.iter().copied()).args(args).stdin(Stdio::null());
    let output = tokio::time::timeout(TIMEOUT, command.output()).await.expect("it ends").unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn an_unknown_argument_exits_with_2() {
    for subcommand in Command::ALL.iter().map(|command| command.name()) {
        let (code, err) = run(subcommand, &[], &["--no-such-argument"]).await;
        assert_eq!(code, Some(2), "{subcommand}: {err}");
        assert!(err.starts_with("error: "), "{subcommand}: {err}");
    }
}

#[tokio::test]
async fn an_invalid_setting_exits_with_2_before_credentials_are_read() {
    let cases: [(&str, &[&str]); 6] = [
        ("serve", &[]),
        ("local", &[]),
        ("explain", &["https://t.example.com/pixel.png"]),
        ("check", &["--project-id=my-project"]),
        ("replay", &["--dead-letters"]),
        ("forget", &["--user-id=u"]),
    ];
    for (subcommand, args) in cases {
        let settings = [("TABLE_NAME", "no name"), ("GOOGLE_CLOUD_PROJECT", "my-project")];
        let (code, err) = run(subcommand, &settings, args).await;
        assert_eq!(code, Some(2), "{subcommand}: {err}");
        assert!(err.starts_with("error: ") && err.contains("\nTABLE_NAME: "), "{subcommand}: {err}");
    }
}

#[tokio::test]
async fn missing_input_exits_with_2() {
    for (subcommand, args) in [("explain", &[][..]), ("sign", &[]), ("replay", &[]), ("forget", &[]), ("cost", &[]), ("query", &[])] {
        let (code, err) = run(subcommand, &[("GOOGLE_CLOUD_PROJECT", "my-project")], args).await;
        assert_eq!(code, Some(2), "{subcommand}: {err}");
        assert!(err.starts_with("error: "), "{subcommand}: {err}");
    }
}

#[tokio::test]
async fn an_unreachable_target_exits_with_1() {
    // A free port without a listener.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let settings = [("BIGQUERY_EMULATOR_HOST", closed.as_str()), ("GOOGLE_CLOUD_PROJECT", "my-project")];
    let cases: [(&str, &[&str]); 3] =
        [("query", &["SELECT 1"]), ("replay", &["--dead-letters", "--give-up-after=1s"]), ("forget", &["--user-id=u"])];
    for (subcommand, args) in cases {
        let (code, err) = run(subcommand, &settings, args).await;
        assert_eq!(code, Some(1), "{subcommand}: {err}");
        assert!(err.lines().any(|line| line.starts_with("error: ")), "{subcommand}: {err}");
    }
    // `check` prints its report on standard output.
    let (code, err) = run("check", &settings, &[]).await;
    assert_eq!(code, Some(1), "check: {err}");
}

#[tokio::test]
async fn a_port_in_use_exits_with_1() {
    let taken = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let settings = [("BIGQUERY_EMULATOR_HOST", "127.0.0.1:9"), ("GOOGLE_CLOUD_PROJECT", "my-project"), ("PORT", port.as_str())];
    for (subcommand, args) in [("serve", &[][..]), ("pixel", &[]), ("local", &["--bigquery-port=0", "--pixel-port=0"])] {
        let (code, err) = run(subcommand, &settings, args).await;
        assert_eq!(code, Some(1), "{subcommand}: {err}");
        let error = err.lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("{subcommand}: {err}"));
        assert!(error.contains(&format!("port {port} (PORT)")), "{subcommand}: {err}");
    }
}
