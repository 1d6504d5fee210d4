//! The sample queries of `schema/queries/`, for the query editor. Leaves out the query that creates a model, which only
//! BigQuery supports.

use serde::Serialize;

use super::names::ConsoleNames;

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

/// One query, ready to run.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Sample {
    /// The file's first line, which is a comment.
    title: String,
    /// The second line: the question that the query answers.
    about: String,
    sql: String,
}

/// All queries, with the dataset and table names of the settings.
pub(crate) fn all(names: &ConsoleNames) -> Vec<Sample> {
    QUERIES.iter().map(|(_, text)| sample(text, &names.dataset, &names.table, &names.dead_letter_table)).collect()
}

fn sample(text: &str, dataset: &str, table: &str, dead_letter_table: &str) -> Sample {
    let mut comments = text.lines().map_while(|line| Some(line.strip_prefix("--")?.trim().to_owned()));
    let sql = text
        .replace(&format!("`{DATASET}.{TABLE}_"), &format!("`{dataset}.{table}_"))
        .replace(&format!("`{DATASET}.{DEAD_LETTER_TABLE}`"), &format!("`{dataset}.{dead_letter_table}`"));
    Sample { title: comments.next().unwrap_or_default(), about: comments.next().unwrap_or_default(), sql: sql.trim_end().to_owned() }
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
            let sample = sample(text, DATASET, TABLE, DEAD_LETTER_TABLE);
            assert!(!sample.title.is_empty() && !sample.about.is_empty(), "{name}");
        }
    }

    #[test]
    fn queries_use_the_table_names_of_the_settings() {
        let sample = sample("-- Opens\n-- Per day.\nSELECT `parsed_pixel.pixel_*`, `parsed_pixel.dead_letters`\n", "other", "hit", "lost");
        assert_eq!((sample.title.as_str(), sample.about.as_str()), ("Opens", "Per day."));
        assert!(sample.sql.ends_with("SELECT `other.hit_*`, `other.lost`"), "{}", sample.sql);
        for (name, text) in QUERIES {
            let sample = self::sample(text, "other", "hit", "lost");
            let code = || sample.sql.lines().filter(|line| !line.starts_with("--"));
            assert!(code().all(|line| !line.contains(DATASET)), "{name} contains another table name");
        }
    }
}
