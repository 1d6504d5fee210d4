//! The sample queries of `schema/queries/`, for the query editor. Leaves out the query that creates a model, which only
//! BigQuery supports.

use serde::Serialize;

use super::names::ConsoleNames;
use crate::decode::Schema;
use crate::schema_sql::for_columns;

/// The names in the files, which are the defaults of the settings.
const DATASET: &str = "parsed_pixel";
const TABLE: &str = "pixel";
const DEAD_LETTER_TABLE: &str = "dead_letters";

/// Lists files of `schema/queries/` with their content.
macro_rules! queries {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../../../schema/queries/", $name)))),*] };
}

/// In the order in which the console lists them.
const QUERIES: &[(&str, &str)] = &queries![
    "events_per_day.sql",
    "top_pages.sql",
    "opens_per_campaign.sql",
    "funnel.sql",
    "sessions.sql",
    "retention_by_week.sql",
    "events_per_weekday_and_hour.sql",
    "programs.sql",
    "history_of_one_user.sql",
    "tables.sql",
    "data_quality.sql",
    "invalid_attributes.sql",
    "dead_letters.sql",
];

/// One query for the columns of the template table.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Sample {
    /// The file's first line, which is a comment.
    title: String,
    /// The second line: the question that the query answers.
    about: String,
    /// `None` if the template table lacks a column that the query needs.
    sql: Option<String>,
    /// Why there is no query.
    problem: Option<String>,
}

/// All queries for a template table with these columns, with the dataset and table names of the settings.
pub(crate) fn all(names: &ConsoleNames, schema: &Schema) -> Vec<Sample> {
    QUERIES.iter().map(|(_, text)| sample(text, &names.dataset, &names.table, &names.dead_letter_table, schema)).collect()
}

/// All queries left out, for this reason.
pub(crate) fn unavailable(problem: &str) -> Vec<Sample> {
    let sample = |text: &str| {
        let (title, about) = heading(text);
        Sample { title, about, sql: None, problem: Some(problem.to_owned()) }
    };
    QUERIES.iter().map(|(_, text)| sample(text)).collect()
}

/// The first two lines of a file.
fn heading(text: &str) -> (String, String) {
    let mut comments = text.lines().map_while(|line| Some(line.strip_prefix("--")?.trim().to_owned()));
    (comments.next().unwrap_or_default(), comments.next().unwrap_or_default())
}

fn sample(text: &str, dataset: &str, table: &str, dead_letter_table: &str, schema: &Schema) -> Sample {
    let (title, about) = heading(text);
    let named = |sql: String| {
        let sql = sql
            .replace(&format!("`{DATASET}.{DEAD_LETTER_TABLE}`"), &format!("`{dataset}.{dead_letter_table}`"))
            .replace(&format!("`{DATASET}.{TABLE}"), &format!("`{dataset}.{table}"))
            .replace(&format!("'{TABLE}'"), &format!("'{table}'"));
        sql.trim_end().to_owned()
    };
    match for_columns(text, schema) {
        Ok(sql) => Sample { title, about, sql: Some(named(sql)), problem: None },
        Err(missing) => Sample { title, about, sql: None, problem: Some(missing.to_string()) },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Queries that the local BigQuery does not support.
    const NOT_OFFERED: &[&str] = &["purchase_prediction.sql"];

    #[test]
    fn every_query_is_listed_and_has_a_title() {
        let dir = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/queries")).unwrap();
        let found: BTreeSet<String> = dir.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let listed = QUERIES.iter().map(|(name, _)| *name).chain(NOT_OFFERED.iter().copied());
        assert_eq!(found, listed.map(str::to_owned).collect());
        for (name, text) in QUERIES {
            let sample = sample(text, DATASET, TABLE, DEAD_LETTER_TABLE, &Schema::shipped());
            assert!(!sample.title.is_empty() && !sample.about.is_empty() && sample.sql.is_some(), "{name}");
        }
    }

    #[test]
    fn queries_use_the_table_names_of_the_settings() {
        let text = "-- Opens\n-- Per day.\nSELECT 'pixel', `parsed_pixel.pixel*`, `parsed_pixel.dead_letters`\n";
        let sample = sample(text, "other", "hit", "lost", &Schema::shipped());
        assert_eq!((sample.title.as_str(), sample.about.as_str()), ("Opens", "Per day."));
        assert!(sample.sql.unwrap().ends_with("SELECT 'hit', `other.hit*`, `other.lost`"));
        for (name, text) in QUERIES {
            let sql = self::sample(text, "other", "hit", "lost", &Schema::shipped()).sql.unwrap();
            let mut code = sql.lines().filter(|line| !line.starts_with("--"));
            assert!(code.all(|line| !line.contains(DATASET) && !line.contains(TABLE)), "{name} contains another table name");
        }
    }

    #[test]
    fn a_query_without_its_column_is_left_out_with_the_reason() {
        let schema = Schema::parse(r#"[{"name": "event_id", "type": "STRING"}]"#).unwrap();
        let sample = sample("-- T\n-- A.\nSELECT page -- needs page STRING\n", DATASET, TABLE, DEAD_LETTER_TABLE, &schema);
        assert_eq!((sample.sql, sample.problem.as_deref()), (None, Some("the template table has no column page of type STRING")));
    }
}
