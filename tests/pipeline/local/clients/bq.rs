//! `bq`, with the two files that `local` writes for it and no account.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tokio::process::Command;

use super::{output, printed, stored};
use crate::support::bigquery::{DATASET, TempDir};
use crate::support::external::skipped;
use crate::support::local::Local;

const BQ: &str = "bq (of the Cloud SDK)";

async fn there_is_bq() -> bool {
    let mut command = Command::new("sh");
    output(command.args(["-c", "command -v bq"])).await.is_some_and(|found| found.status.success())
}

/// `bq` with the printed exports.
struct Bq {
    exports: Vec<(String, String)>,
    /// An empty home directory: no account, project or .bigqueryrc of the developer.
    home: TempDir,
}

impl Bq {
    fn of(local: &Local) -> Self {
        let lines = local.welcome.lines().filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='));
        let exports: Vec<_> = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(exports.len(), 2, "{}", local.welcome);
        Self { exports, home: TempDir::new() }
    }

    async fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new("bq");
        command
            .env("CLOUDSDK_CONFIG", self.home.path())
            .env("HOME", self.home.path())
            .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
            .envs(self.exports.iter().cloned())
            .current_dir(self.home.path())
            .args(args);
        output(&mut command).await.expect("bq starts")
    }

    /// Its output as JSON.
    async fn json(&self, args: &[&str]) -> Value {
        printed(&self.run(&[&["--format=json"], args].concat()).await)
    }
}

fn names(list: &Value, reference: &str, id: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[reference][id].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn bq_lists_shows_and_reads_what_was_stored() {
    if !there_is_bq().await {
        return skipped("bq_lists_shows_and_reads_what_was_stored", BQ);
    }
    let dir = TempDir::new();
    let local = stored(dir.path()).await;
    let bq = Bq::of(&local);
    let bq = async |args: &[&str]| bq.json(args).await;
    local.wait_for_views().await;
    let datasets = bq(&["ls"]).await;
    assert_eq!(names(&datasets, "datasetReference", "datasetId"), [DATASET]);
    assert_eq!(
        names(&bq(&["ls", DATASET]).await, "tableReference", "tableId"),
        ["dead_letters", "events", "events_daily", "pixel", "pixel_u1"]
    );
    let table = bq(&["show", &format!("{DATASET}.pixel_u1")]).await;
    assert_eq!(table["numRows"], "2");
    assert_eq!(table["schema"], bq(&["show", &format!("{DATASET}.pixel")]).await["schema"], "as the template's");

    let mut rows = bq(&["head", &format!("{DATASET}.pixel_u1")]).await;
    rows.as_array_mut().unwrap().sort_by_key(|row| row["order_id"].to_string().len());
    let seen: Vec<_> = rows.as_array().unwrap().iter().map(|row| json!([row["user_id"], row["order_id"], row["type"]])).collect();
    assert_eq!(seen, [json!(["u1", "1", "click"]), json!(["u1", "ü\"\n", "click"])]);
    let dead_letters = bq(&["head", &format!("{DATASET}.dead_letters")]).await;
    assert_eq!((&dead_letters[0]["reason"], &dead_letters[0]["delivery_attempt"]), (&json!("bad_base64"), &json!("3")));
}

#[tokio::test]
async fn the_files_for_bq_are_private_and_follow_the_port() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TempDir::new();
    let token = dir.path().join("bq-token");
    std::fs::write(&token, "of an earlier version, for all to read").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    let local = Local::start(dir.path(), &[("GOOGLE_CLOUD_PROJECT", "my-project")]).await;
    assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&token).unwrap(), "local");
    let run_control = std::fs::read_to_string(dir.path().join("bqrc")).unwrap();
    for line in [format!("api = {}", local.bigquery), "project_id = my-project".to_owned(), "--use_legacy_sql=false".to_owned()] {
        assert!(run_control.lines().any(|other| other == line), "{line}: {run_control}");
    }
    for (name, value) in Bq::of(&local).exports {
        assert!(Path::new(&value).is_absolute() && Path::new(&value).is_file(), "{name}={value}");
    }
}
