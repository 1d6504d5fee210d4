//! The end of the soak: everything is counted, printed, and held against each other.

use std::time::Duration;

use super::counters::{self, Life};
use super::messages::Kind;
use super::tally::{Answer, Answers};
use super::weather::Weather;
use super::{Soak, end};

impl Soak {
    /// Once everything was acked: what must be so, to the row.
    pub(super) async fn reconcile(mut self) {
        while let Some(sender) = self.senders.join_next().await {
            sender.expect("a sender ends well");
        }
        let took = self.began.elapsed();
        self.tally.check_acks();
        self.measure();

        let by_metrics = counters::of_metrics(&self.service.get("/metrics").await.body);
        let service = self.service;
        let by_log = end(service).await;
        assert_eq!(by_metrics, by_log, "the log and /metrics count alike");
        self.lives.push(Life::Ended { counted: by_log });
        for (number, life) in self.lives.iter().enumerate() {
            let problems = life.problems(&self.tally.answers_of(number));
            problems.into_iter().for_each(|problem| self.audit.problem(format!("counters of process {number}: {problem}")));
        }

        for table in self.bigquery.tables().await {
            self.audit.read_table(&self.bigquery, &table).await;
        }
        let entries = self.tally.entries();
        let classes = self.audit.finish(&entries);

        let answers = self.tally.answers();
        let of = |answer: Answer| total(&answers, |_, found| found == answer);
        let others = total(&answers, |_, found| matches!(found, Answer::Other(_)));
        let deliveries: u64 = entries.iter().map(|entry| u64::from(entry.deliveries)).sum();
        let sent = entries.len() as u64;
        let uncounted: u64 = self.lives.iter().enumerate().map(|(life, of)| of.uncounted(&self.tally.answers_of(life))).sum();
        let (distinct, rows) = (self.audit.distinct(), self.audit.rows);
        let insert_all = self.bigquery.faults().insert_all_requests();

        line("messages sent", sent);
        line("deliveries", deliveries);
        line("  redeliveries", deliveries - sent);
        line("    on purpose, after an ack or beside it", classes.sent_twice);
        line("  sent back with 503", of(Answer::Retry));
        line("  sent back with 429", of(Answer::Saturated));
        line("  answered otherwise", others);
        line("  cut off", of(Answer::CutOff));
        line("  service not reached", of(Answer::NotReached));
        line("  not answered in time", of(Answer::TooLate));
        line("acks", of(Answer::Acked));
        for kind in Kind::ALL {
            let (outcome, reason) = kind.outcome();
            line(&format!("  {outcome} {reason}"), total(&answers, |found, answer| (found, answer) == (kind, Answer::Acked)));
        }
        line("rows raw", rows);
        line("rows after de-duplication", distinct);
        line("  events", classes.stored);
        for (reason, count) in &classes.dead_letters {
            line(&format!("  dead letters: {reason}"), count);
        }
        line("duplicates", rows - distinct);
        for (reason, count) in &classes.filtered {
            line(&format!("filtered: {reason}"), count);
        }
        let struck = self.sky.struck();
        line("insertAll requests", insert_all.requests);
        line("  rows in them", insert_all.rows);
        line("faults", struck.values().sum::<u64>());
        for (weather, count) in &struck {
            line(&format!("  {}", weather.name()), count);
        }
        line("incidents", self.happened.values().sum::<u64>());
        for (incident, count) in &self.happened {
            line(&format!("  {}", incident.name()), count);
        }
        line("processes", self.lives.len());
        line("  answers whose counts died by kill -9", uncounted);
        line("duration", format!("{:.1} s", took.as_secs_f64()));
        line("rate", format!("{:.0} messages/s", sent as f64 / took.as_secs_f64().max(Duration::from_millis(1).as_secs_f64())));
        line("peak memory of the service", format!("{} MiB", self.peak_memory / 1024));
        line("peak memory of this test", format!("{} MiB", peak_memory(std::process::id()) / 1024));

        assert!(self.audit.problems.is_empty(), "{:#?}", self.audit.problems);
        let dead: u64 = classes.dead_letters.values().sum();
        let filtered: u64 = classes.filtered.values().sum();
        assert_eq!((distinct, distinct + filtered), (classes.stored + dead, sent), "every message is in one class");
        let missing: Vec<_> = Weather::ALL.into_iter().filter(|weather| !struck.contains_key(weather)).collect();
        assert!(missing.is_empty(), "these faults never happened: {missing:?}");
    }
}

fn total(answers: &Answers, is_it: impl Fn(Kind, Answer) -> bool) -> u64 {
    answers.iter().filter(|((kind, answer), _)| is_it(*kind, *answer)).map(|(_, count)| count).sum()
}

fn line(what: &str, figure: impl std::fmt::Display) {
    println!("{what:<44} {figure:>16}");
}

/// The most that a process ever had in memory, in KiB; 0 where the system does not say.
pub(super) fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    peak.unwrap_or(0)
}
