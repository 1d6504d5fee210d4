//! The tables of the pipeline, and how many rows of each are the user's.

use serde_json::Value;

use super::Failure;
use super::subject::Subject;
use crate::cli::google::{Api, Google};
use crate::cli::statement::{self, Statement};
use crate::config::Config;
use crate::decode::table_suffix::Resemblance;

/// Where events go once there are too many tables. A user may be called `overflow`, so that a name of this kind
/// never makes a table a user's.
const OVERFLOW: &str = "_overflow";

/// A table that has something of the user.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) table: String,
    /// Rows of the user.
    pub(super) rows: u64,
    /// The table has nothing of anybody else, and may go as a whole.
    pub(super) is_own: bool,
}

/// Looks at every table that may have rows of the user.
pub(super) async fn find(google: &Google, config: &Config, subject: &Subject) -> Result<Vec<Found>, Failure> {
    let failed = |what: String| move |error| Failure::Google { what, error };
    let (location, name) = (&config.location, &config.template.table);
    let mut found = Vec::new();
    for table in list(google, config).await? {
        let Some(suffix) = table.strip_prefix(&**name) else { continue };
        let is_overflow = suffix.starts_with(OVERFLOW);
        let resemblance = subject.resembles(suffix);
        if resemblance == Resemblance::None && !is_overflow && !suffix.is_empty() {
            continue;
        }
        let sql = format!(
            "SELECT COUNTIF({}), COUNTIF({}), COUNT(*) FROM `{}.{}.{table}`",
            subject.condition(),
            subject.condition_of_others(),
            location.project,
            location.dataset
        );
        let statement = Statement { sql, parameters: subject.parameters() };
        let mut answer = statement::run(google, &location.project, &statement).await.map_err(failed(format!("look into {table}")))?;
        let counts: Vec<u64> = answer.take().first().into_iter().flatten().map(number).collect();
        let [theirs, of_others, all] = counts[..] else { continue };
        let is_certain = resemblance == Resemblance::Certain;
        // The template table is nobody's, whoever is in it.
        let may_go = !is_overflow && !suffix.is_empty() && of_others == 0;
        if may_go && (is_certain || theirs > 0 && theirs == all) {
            found.push(Found { table, rows: all, is_own: true });
        } else if theirs > 0 {
            found.push(Found { table, rows: theirs, is_own: false });
        }
    }
    Ok(found)
}

async fn list(google: &Google, config: &Config) -> Result<Vec<String>, Failure> {
    let (project, dataset) = (&config.location.project, &config.location.dataset);
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let token_: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let page_token = if token.is_empty() { String::new() } else { format!("&pageToken={token_}") };
        let path = format!("projects/{project}/datasets/{dataset}/tables?maxResults=1000{page_token}");
        let page = google.get(Api::BigQuery, &path).await.into_result();
        let page = page.map_err(|error| Failure::Google { what: format!("list the tables of {dataset}"), error })?;
        let tables = page["tables"].as_array().into_iter().flatten().filter(|table| table["type"] == "TABLE");
        names.extend(tables.filter_map(|table| table["tableReference"]["tableId"].as_str().map(str::to_owned)));
        match page["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => return Ok(names),
        }
    }
}

fn number(cell: &Value) -> u64 {
    cell.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}
