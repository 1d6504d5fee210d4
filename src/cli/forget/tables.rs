//! The tables of the pipeline, and how many rows of each are the user's.

use serde_json::Value;

use super::Failure;
use super::condition::Condition;
use super::named::Named;
use super::subject::Subject;
use crate::cli::google::{Api, Google, Unseen};
use crate::cli::statement::{self, Statement};
use crate::config::Config;
use crate::decode::Schema;
use crate::decode::table_suffix::Match;

/// A table that has something of the user.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) table: Named,
    /// How to tell whose a row is.
    pub(crate) condition: Condition,
    /// Rows of the user.
    pub(crate) rows: u64,
    /// The table has nothing of anybody else, nor ever will, and may go as a whole.
    pub(crate) is_own: bool,
}

/// What a table's name says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// It may have rows of anyone.
    Shared,
    /// It may be made of the user's values, and of others'.
    Possible,
    /// It is made of the user's values.
    Certain,
}

/// Looks at every table that may have rows of the user.
pub(crate) async fn find(google: &Google, config: &Config, subject: &Subject) -> Result<Vec<Found>, Failure> {
    let claim_of = |table: &String| claim(table.strip_prefix(&*config.template.table)?, config, subject);
    let tables = list(google, config).await?.into_iter();
    let candidates: Vec<_> = tables.filter_map(|table| Some((claim_of(&table)?, table))).collect();
    let count = candidates.len();
    let mut found = Vec::new();
    for (index, ((claim, says_who), table)) in candidates.into_iter().enumerate() {
        let table = if says_who { Named::hidden(table, index + 1, count) } else { Named::open(table) };
        found.extend(look(google, config, subject, table, claim).await?);
    }
    Ok(found)
}

/// What the name of a table says that may have rows of the user, and whether it says who that is.
fn claim(suffix: &str, config: &Config, subject: &Subject) -> Option<(Claim, bool)> {
    // A user may be called `overflow`, so that a name of this kind never makes a table a user's.
    if suffix.is_empty() || config.new_tables.overflow.matches(suffix) || is_default_overflow(suffix) {
        return Some((Claim::Shared, false));
    }
    let matched = subject.matches(suffix);
    if matched == Match::None {
        return subject.may_be_anywhere().then_some((Claim::Shared, false));
    }
    let named = subject.named_in_suffix();
    let claim = match matched {
        // Rows that differ in the others may come at any time.
        _ if named < subject.attributes().len() => Claim::Shared,
        Match::Certain => Claim::Certain,
        Match::Possible | Match::None => Claim::Possible,
    };
    Some((claim, named > 0))
}

/// As OVERFLOW_SUFFIX may have been for a while. Two `_` begin a letter of a longer id: `_overflow__2d2` is `overflow-2`.
fn is_default_overflow(suffix: &str) -> bool {
    suffix.strip_prefix("_overflow").is_some_and(|rest| rest.is_empty() || rest.starts_with('_') && !rest.starts_with("__"))
}

async fn look(google: &Google, config: &Config, subject: &Subject, table: Named, claim: Claim) -> Result<Option<Found>, Failure> {
    let (project, dataset) = (&config.location.project, &config.location.dataset);
    let failed = |error| Failure::google(format!("look into {}", table.called()), table.conceal(&error));
    let Some(schema) = schema(google, config, table.name()).await.map_err(failed)? else { return Ok(None) };
    let condition = Condition::of(subject, &schema)
        .map_err(|error| Failure::Usage(format!("column {} of {} {error}", error.column, table.called())))?;
    let Condition { theirs, others, parameters } = &condition;
    let sql = format!("SELECT COUNTIF({theirs}), COUNTIF({others}), COUNT(*) FROM `{project}.{dataset}.{}`", table.name());
    let statement = Statement { sql, parameters: parameters.clone() };
    let mut answer = match statement::run(google, project, &statement).await {
        Ok(answer) => answer,
        Err(Unseen::Missing) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let counts: Vec<u64> = answer.take().first().into_iter().flatten().map(number).collect();
    let [theirs, of_others, all] = counts[..] else { return Ok(None) };
    let is_own = match claim {
        Claim::Shared => false,
        Claim::Possible => theirs > 0 && theirs == all,
        Claim::Certain => of_others == 0,
    };
    let rows = if is_own { all } else { theirs };
    Ok((is_own || rows > 0).then_some(Found { table, condition, rows, is_own }))
}

/// The schema of a table; `None` if the table does not exist.
pub(crate) async fn schema(google: &Google, config: &Config, table: &str) -> Result<Option<Schema>, Unseen> {
    let (project, dataset) = (&config.location.project, &config.location.dataset);
    match google.get(Api::BigQuery, &format!("projects/{project}/datasets/{dataset}/tables/{table}")).await.into_result() {
        Ok(resource) => Schema::of_table(&resource).map(Some).map_err(|error| Unseen::Failed(format!("cannot read its schema: {error}"))),
        Err(Unseen::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn list(google: &Google, config: &Config) -> Result<Vec<String>, Failure> {
    let (project, dataset) = (&config.location.project, &config.location.dataset);
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let token_: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let page_token = if token.is_empty() { String::new() } else { format!("&pageToken={token_}") };
        let path = format!("projects/{project}/datasets/{dataset}/tables?maxResults=1000{page_token}");
        let page = google.get(Api::BigQuery, &path).await.into_result();
        let page = page.map_err(|error| Failure::google(format!("list the tables of {dataset}"), error))?;
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
