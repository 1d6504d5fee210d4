//! What happened, in a few lines, when the topology has ended.

use std::collections::BTreeMap;
use std::fmt;

use super::activity::Counts;
use crate::telemetry::Labels;

/// Everything that was counted between start and end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Over the arrows up to the push.
    pub counts: Counts,
    /// Push deliveries by outcome and reason, as the service counted them.
    pub outcomes: BTreeMap<Labels, u64>,
    /// Messages that were published, and neither acknowledged nor given up when time was over.
    pub unsettled: u64,
    /// Messages in the dead-letter topic.
    pub given_up: u64,
    /// Tables of the dataset that were not there before, without the views; `None` when it could not be said.
    pub tables_made: Option<u64>,
}

impl Summary {
    /// Messages that end with this process: unsettled, or in the dead-letter topic, which is in
    /// memory. (The dead-letter table is not.)
    pub fn lost(&self) -> u64 {
        self.unsettled + self.given_up
    }

    /// How many deliveries had that outcome, and for which reasons.
    fn outcome(&self, outcome: &str) -> (u64, String) {
        let of_it = || self.outcomes.iter().filter(|((name, _), count)| *name == outcome && **count > 0);
        let reasons: Vec<String> =
            of_it().filter(|((_, reason), _)| !reason.is_empty()).map(|((_, reason), count)| format!("{reason} {count}")).collect();
        (of_it().map(|(_, count)| count).sum(), reasons.join(", "))
    }
}

impl fmt::Display for Summary {
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
        let sent_back = ["retry", "saturated", "invalid_request"].map(|outcome| self.outcome(outcome));
        let reasons: Vec<&str> = sent_back.iter().map(|(_, reasons)| reasons.as_str()).filter(|reasons| !reasons.is_empty()).collect();
        line("nacks", sent_back.iter().map(|(count, _)| count).sum(), &reasons.join(", "))?;
        if let Some(made) = self.tables_made {
            line("tables made", made, "")?;
        }
        if self.lost() > 0 {
            line("lost", self.lost(), &format!("{} not settled in time, {} given up", self.unsettled, self.given_up))?;
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
    fn it_reads_as_a_table() {
        let summary = Summary {
            counts: Counts { requests: 1234, cache_hits: 1200, excluded: 34, published: 1200, ..Counts::default() },
            outcomes: outcomes(&[
                ("stored", "", 1100),
                ("filtered", "method", 40),
                ("filtered", "missing_attribute", 57),
                ("retry", "no_template", 2),
                ("saturated", "in_flight", 3),
                ("dead_letter", "invalid", 0),
            ]),
            unsettled: 2,
            given_up: 1,
            tables_made: Some(12),
        };
        let expected = "\
requests            1234  1200 from the cache
excluded              34  by the log sink's filter
published           1200
stored              1100
filtered              97  method 40, missing_attribute 57
dead letters           0
nacks                  5  no_template 2, in_flight 3
tables made           12
lost                   3  2 not settled in time, 1 given up
";
        assert_eq!(summary.to_string(), expected);
    }

    #[test]
    fn nothing_is_lost_where_every_message_is_settled() {
        let summary = Summary { outcomes: outcomes(&[("dead_letter", "bad_json", 3)]), ..Summary::default() };
        assert_eq!(summary.lost(), 0);
        assert!(!summary.to_string().contains("lost"));
    }
}
