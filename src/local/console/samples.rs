//! The sample queries of `schema/queries/`, for the query editor; without the one that makes a model, which only
//! BigQuery itself can.

use serde::Serialize;

use super::names::Names;

/// The names by which the files call things: the settings' defaults.
const DATASET: &str = "parsed_pixel";
const TABLE: &str = "pixel";
const DEAD_LETTER_TABLE: &str = "dead_letters";

/// Lists files of `schema/queries/` with their content.
macro_rules! queries {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../../../schema/queries/", $name)))),*] };
}

/// What one would ask first comes first.
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
    /// The file's first line, a comment.
    title: String,
    /// The second: what it answers.
    about: String,
    sql: String,
}

/// All of them, with the names that the settings give to dataset and tables.
pub(crate) fn all(names: &Names) -> Vec<Sample> {
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

    /// What only BigQuery itself can run: the console does not offer what would be refused.
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
    fn a_query_speaks_of_the_tables_that_there_are() {
        let sample = sample("-- Opens\n-- Per day.\nSELECT `parsed_pixel.pixel_*`, `parsed_pixel.dead_letters`\n", "other", "hit", "lost");
        assert_eq!((sample.title.as_str(), sample.about.as_str()), ("Opens", "Per day."));
        assert!(sample.sql.ends_with("SELECT `other.hit_*`, `other.lost`"), "{}", sample.sql);
        for (name, text) in QUERIES {
            let sample = self::sample(text, "other", "hit", "lost");
            let code = || sample.sql.lines().filter(|line| !line.starts_with("--"));
            assert!(code().all(|line| !line.contains(DATASET)), "{name} names a table in another way");
        }
    }
}
