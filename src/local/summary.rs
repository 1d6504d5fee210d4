//! The summary that `local` prints when the topology has stopped.

use std::collections::BTreeMap;
use std::fmt;

use super::stats::Counts;
use crate::telemetry::Labels;

/// Totals between start and shutdown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunSummary {
    /// Counts of the parts before the service.
    pub counts: Counts,
    /// Push deliveries by outcome and reason, as counted by the service.
    pub outcomes: BTreeMap<Labels, u64>,
    /// Published messages that were not acknowledged and not dead-lettered before the shutdown timeout.
    pub unfinished: u64,
    /// Messages in the dead-letter topic.
    pub dead_lettered: u64,
    /// Tables created in the dataset, without views. `None` if they cannot be counted.
    pub tables_created: Option<u64>,
}

impl RunSummary {
    /// Messages that are lost when the process exits: unfinished ones, and those in the dead-letter topic, which is kept in
    /// memory. The dead-letter table is kept on disk.
    pub fn lost(&self) -> u64 {
        self.unfinished + self.dead_lettered
    }

    /// Number of deliveries with this outcome, and a list of their reasons.
    fn outcome(&self, outcome: &str) -> (u64, String) {
        let matching = || self.outcomes.iter().filter(|((name, _), count)| *name == outcome && **count > 0);
        let reasons: Vec<String> =
            matching().filter(|((_, reason), _)| !reason.is_empty()).map(|((_, reason), count)| format!("{reason} {count}")).collect();
        (matching().map(|(_, count)| count).sum(), reasons.join(", "))
    }
}

impl fmt::Display for RunSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { requests, cache_hits, excluded, published, .. } = self.counts;
        let mut line = |name: &str, count: u64, note: &str| {
            let line = format!("{name:<16}{count:>8}  {note}");
            writeln!(f, "{}", line.trim_end())
        };
        line("requests", requests, &format!("{cache_hits} from the cache"))?;
        line("excluded", excluded, "by the log sink's filter")?;
        line("published", published, "")?;
        for (name, outcome) in [("stored", "stored"), ("filtered", "filtered"), ("dead letters", "dead_letter")] {
            let (count, reasons) = self.outcome(outcome);
            line(name, count, &reasons)?;
        }
        let nacks = ["retry", "saturated", "invalid_request"].map(|outcome| self.outcome(outcome));
        let reasons: Vec<&str> = nacks.iter().map(|(_, reasons)| reasons.as_str()).filter(|reasons| !reasons.is_empty()).collect();
        line("nacks", nacks.iter().map(|(count, _)| count).sum(), &reasons.join(", "))?;
        if let Some(made) = self.tables_created {
            line("tables created", made, "")?;
        }
        if self.lost() > 0 {
            line(
                "lost",
                self.lost(),
                &format!("{} not finished in time, {} in the dead-letter topic", self.unfinished, self.dead_lettered),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(counts: &[(&'static str, &'static str, u64)]) -> BTreeMap<Labels, u64> {
        counts.iter().map(|(outcome, reason, count)| ((*outcome, *reason), *count)).collect()
    }

    #[test]
    fn the_summary_is_printed_as_a_table() {
        let summary = RunSummary {
            counts: Counts { requests: 1234, cache_hits: 1200, excluded: 34, published: 1200, ..Counts::default() },
            outcomes: outcomes(&[
                ("stored", "", 1100),
                ("filtered", "method", 40),
                ("filtered", "missing_attribute", 57),
                ("retry", "no_template", 2),
                ("saturated", "in_flight", 3),
                ("dead_letter", "invalid", 0),
            ]),
            unfinished: 2,
            dead_lettered: 1,
            tables_created: Some(12),
        };
        let expected = "\
requests            1234  1200 from the cache
excluded              34  by the log sink's filter
published           1200
stored              1100
filtered              97  method 40, missing_attribute 57
dead letters           0
nacks                  5  no_template 2, in_flight 3
tables created        12
lost                   3  2 not finished in time, 1 in the dead-letter topic
";
        assert_eq!(summary.to_string(), expected);
    }

    #[test]
    fn no_message_is_lost_if_all_are_finished() {
        let summary = RunSummary { outcomes: outcomes(&[("dead_letter", "bad_json", 3)]), ..RunSummary::default() };
        assert_eq!(summary.lost(), 0);
        assert!(!summary.to_string().contains("lost"));
    }
}
