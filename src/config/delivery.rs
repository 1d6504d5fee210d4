//! The settings that decide how rows reach BigQuery.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::Problems;
use crate::sink::batcher::Limits;

/// How rows reach BigQuery.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Delivery")]
pub struct DeliveryArgs {
    /// Table for messages that can never become a row
    #[arg(long, env, value_name = "NAME", default_value = "dead_letters")]
    pub dead_letter_table: String,
    /// Create dataset, template table and dead-letter table where they are missing
    #[arg(long, env, value_name = "BOOL", default_value = "true")]
    pub auto_create: String,
    /// Most rows in one insertAll request
    #[arg(long, env, value_name = "N", default_value = "500")]
    pub batch_max_rows: String,
    /// Most bytes of rows in one insertAll request
    #[arg(long, env, value_name = "BYTES", default_value = "8388608")]
    pub batch_max_bytes: String,
    /// Most insertAll requests under way at once
    #[arg(long, env, value_name = "N", default_value = "200")]
    pub batch_max_inserts: String,
    /// Compress insertAll requests (gzip, level 1): less traffic, more CPU
    #[arg(long, env, value_name = "BOOL", default_value = "false")]
    pub batch_gzip: String,
    /// Messages that may wait for their answer; more are answered 429
    #[arg(long, env, value_name = "N", default_value = "2000")]
    pub max_in_flight: String,
    /// Time in which a push is answered, as 8s or 500ms, up to 590s. Keep it below the subscription's ack deadline
    #[arg(long, env, value_name = "TIME", default_value = "8s")]
    pub push_deadline: String,
}

/// The same, all of them valid.
pub(crate) struct Delivery {
    pub(crate) dead_letter_table: Arc<str>,
    pub(crate) auto_create: bool,
    pub(crate) limits: Limits,
    pub(crate) gzip: bool,
    pub(crate) max_in_flight: usize,
    pub(crate) push_deadline: Duration,
}

impl DeliveryArgs {
    pub(crate) fn read(&self, table_name: &str, problems: &mut Problems) -> Option<Delivery> {
        const DEAD_LETTERS: &str = "DEAD_LETTER_TABLE";
        problems.identifier(DEAD_LETTERS, &self.dead_letter_table, true);
        if !table_name.is_empty() && self.dead_letter_table.starts_with(table_name) {
            problems.add(
                DEAD_LETTERS,
                format!("{:?} would be read by queries over `{table_name}*`: it must not begin with TABLE_NAME", self.dead_letter_table),
            );
        }
        let auto_create = problems.boolean("AUTO_CREATE", &self.auto_create);
        let rows = problems.number("BATCH_MAX_ROWS", &self.batch_max_rows, 1, 50_000);
        // BigQuery takes 10 MB, of which insertIds and brackets need their share.
        let bytes = problems.number("BATCH_MAX_BYTES", &self.batch_max_bytes, 1, 9_000_000);
        let inserts = problems.number("BATCH_MAX_INSERTS", &self.batch_max_inserts, 1, 10_000);
        let gzip = problems.boolean("BATCH_GZIP", &self.batch_gzip);
        let max_in_flight = problems.number("MAX_IN_FLIGHT", &self.max_in_flight, 1, 1_000_000);
        let push_deadline = problems.check("PUSH_DEADLINE", parse_deadline(&self.push_deadline));
        // Two attempts at least, and room for a third.
        let attempt = push_deadline?.mul_f64(0.4).min(Duration::from_secs(60));
        Some(Delivery {
            dead_letter_table: self.dead_letter_table.as_str().into(),
            auto_create: auto_create?,
            limits: Limits { rows: rows?, bytes: bytes?, inserts: inserts?, attempt },
            gzip: gzip?,
            max_in_flight: max_in_flight?,
            push_deadline: push_deadline?,
        })
    }
}

fn parse_deadline(text: &str) -> Result<Duration, String> {
    let trimmed = text.trim();
    let (number, unit) = trimmed.split_at(trimmed.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(trimmed.len()));
    let seconds = match (number.trim().parse::<f64>(), unit) {
        (Ok(number), "s" | "") => number,
        (Ok(number), "ms") => number / 1000.0,
        _ => f64::NAN,
    };
    if (0.1..=590.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("{text:?} is not a time from 100ms to 590s, as 8s is"))
    }
}
