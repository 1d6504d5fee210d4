//! What a process says of itself, held against what its deliveries were answered.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::tally::{Answer, Answers};

/// Deliveries by outcome and reason. The reasons of what is sent back are left out: nobody outside can tell them.
pub type Counted = BTreeMap<(String, String), u64>;

/// One process.
pub enum Life {
    /// It ended by itself. All that it counted, by the reports in its log.
    Ended { counted: Counted },
    /// By kill -9. Its counters as they were a moment before, and what had been answered a moment before that.
    Killed { counted: Counted, answered: Answers },
}

/// Of `/metrics`.
pub fn of_metrics(text: &str) -> Counted {
    let mut counted = Counted::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("pixel_pipeline_deliveries_total{outcome=\"")) {
        let (outcome, rest) = line.split_once("\",reason=\"").unwrap();
        let (reason, count) = rest.split_once("\"} ").unwrap();
        add(&mut counted, outcome, reason, count.parse().unwrap());
    }
    counted
}

/// Of all reports in a log.
pub fn of_log(lines: &[String]) -> Counted {
    let mut counted = Counted::new();
    for line in lines.iter().filter(|line| line.contains("\"deliveries\"")) {
        let line: Value = serde_json::from_str(line).unwrap();
        add(&mut counted, line["outcome"].as_str().unwrap(), line["reason"].as_str().unwrap(), line["count"].as_u64().unwrap());
    }
    counted
}

fn add(counted: &mut Counted, outcome: &str, reason: &str, count: u64) {
    let reason = if matches!(outcome, "retry" | "saturated") { "" } else { reason };
    *counted.entry((outcome.to_owned(), reason.to_owned())).or_default() += count;
}

/// What must have been counted for these answers.
fn of_answers(answers: &Answers) -> Counted {
    let mut counted = Counted::new();
    for ((kind, answer), count) in answers {
        match answer {
            Answer::Acked => add(&mut counted, kind.outcome().0, kind.outcome().1, *count),
            Answer::Retry => add(&mut counted, "retry", "", *count),
            Answer::Saturated => add(&mut counted, "saturated", "", *count),
            Answer::Other(status) => add(&mut counted, "other", &status.to_string(), *count),
            Answer::NotReached | Answer::CutOff | Answer::TooLate => {}
        }
    }
    counted
}

impl Life {
    /// What is wrong with the counters of a process that answered so.
    pub fn problems(&self, answers: &Answers) -> Vec<String> {
        let after = of_answers(answers);
        match self {
            // To the last delivery.
            Self::Ended { counted } if *counted == after => Vec::new(),
            Self::Ended { counted } => vec![format!("it counted {counted:?} and answered {after:?}")],
            // What it answered last was not counted any more by the time of the look; and of what it had counted
            // then, the answers of those deliveries may be lost that were under way when it was killed.
            Self::Killed { counted, answered } => {
                let before = of_answers(answered);
                let cut_off: u64 = answers.iter().filter(|((_, answer), _)| *answer == Answer::CutOff).map(|(_, count)| count).sum();
                let of = |counts: &Counted, key: &(String, String)| counts.get(key).copied().unwrap_or(0);
                let keys: BTreeSet<_> = counted.keys().chain(after.keys()).collect();
                let is_wrong = |key: &&(String, String)| !(of(&before, key)..=of(&after, key) + cut_off).contains(&of(counted, key));
                let wrong = keys.into_iter().filter(is_wrong);
                wrong
                    .map(|key| {
                        let (low, high) = (of(&before, key), of(&after, key));
                        format!("{key:?}: killed, it had counted {}, and answered {low} to {high} with {cut_off} cut off", of(counted, key))
                    })
                    .collect()
            }
        }
    }

    /// Answers that were given after the last look at the counters, which died with them.
    pub fn uncounted(&self, answers: &Answers) -> u64 {
        let total = |counted: &Counted| counted.values().sum::<u64>();
        match self {
            Self::Ended { .. } => 0,
            Self::Killed { counted, .. } => total(&of_answers(answers)).saturating_sub(total(counted)),
        }
    }
}
