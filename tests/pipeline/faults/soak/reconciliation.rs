//! The end of the soak test: prints all counts, and compares them with each other and with the stored rows.

use std::time::Duration;

use super::counters::{self, ProcessCounters};
use super::delivery_results::{DeliveryResult, ResultCounts};
use super::fault_schedule::FaultKind;
use super::harness::{Soak, end};
use super::messages::Kind;
use crate::support::service::peak_memory;
use crate::support::wait::within;

impl Soak {
    /// Reconciles messages, results, counters and rows after the last ack.
    pub async fn reconcile(mut self) {
        within("the senders end", std::mem::take(&mut self.senders).join_all()).await;
        let took = self.began.elapsed();
        self.results.assert_no_early_acks();
        self.measure_memory();

        let by_metrics = counters::of_metrics(&self.service.get("/metrics").await.body);
        let service = self.service;
        let by_log = end(service).await;
        assert_eq!(by_metrics, by_log, "counts of the log and of /metrics");
        self.processes.push(ProcessCounters::Ended { counted: by_log });
        for (number, process) in self.processes.iter().enumerate() {
            let problems = process.problems(&self.results.of_process(number));
            problems.into_iter().for_each(|problem| self.audit.problem(format!("counters of process {number}: {problem}")));
        }

        for table in self.bigquery.tables().await {
            self.audit.read_table(&self.bigquery, &table).await;
        }
        let messages = self.results.messages();
        let totals = self.audit.finish(&messages);

        let counts = self.results.counts();
        let of = |result: DeliveryResult| total(&counts, |_, found| found == result);
        let others = total(&counts, |_, found| matches!(found, DeliveryResult::Other(_)));
        let deliveries: u64 = messages.iter().map(|message| u64::from(message.deliveries)).sum();
        let sent = messages.len() as u64;
        let uncounted: u64 = self.processes.iter().enumerate().map(|(process, of)| of.uncounted(&self.results.of_process(process))).sum();
        let (distinct, rows) = (self.audit.distinct(), self.audit.rows);
        let insert_all = self.bigquery.faults().insert_all_requests();

        line("messages sent", sent);
        line("deliveries", deliveries);
        line("  redeliveries", deliveries - sent);
        line("    on purpose", totals.sent_twice);
        line("  nacked with 503", of(DeliveryResult::Retry));
        line("  nacked with 429", of(DeliveryResult::Saturated));
        line("  other status", others);
        line("  connection closed", of(DeliveryResult::Aborted));
        line("  connection refused", of(DeliveryResult::Unreachable));
        line("  no response in time", of(DeliveryResult::TimedOut));
        line("acks", of(DeliveryResult::Acked));
        for kind in Kind::ALL {
            let (outcome, reason) = kind.outcome();
            line(&format!("  {outcome} {reason}"), total(&counts, |found, result| (found, result) == (kind, DeliveryResult::Acked)));
        }
        line("rows stored", rows);
        line("rows after deduplication", distinct);
        line("  events", totals.stored);
        for (reason, count) in &totals.dead_letters {
            line(&format!("  dead letters: {reason}"), count);
        }
        line("duplicates", rows - distinct);
        for (reason, count) in &totals.filtered {
            line(&format!("filtered: {reason}"), count);
        }
        let injected = self.schedule.injected();
        line("insertAll requests", insert_all.requests);
        line("  rows in them", insert_all.rows);
        line("faults", injected.values().sum::<u64>());
        for (kind, count) in &injected {
            line(&format!("  {}", kind.name()), count);
        }
        line("disruptions", self.disruptions.values().sum::<u64>());
        for (disruption, count) in &self.disruptions {
            line(&format!("  {}", disruption.name()), count);
        }
        line("processes", self.processes.len());
        line("  responses not counted before a SIGKILL", uncounted);
        line("duration", format!("{:.1} s", took.as_secs_f64()));
        line("rate", format!("{:.0} messages/s", sent as f64 / took.as_secs_f64().max(Duration::from_millis(1).as_secs_f64())));
        line("peak memory of the service", format!("{} MiB", self.peak_memory >> 20));
        line("peak memory of this test", format!("{} MiB", peak_memory(std::process::id()).unwrap_or(0) >> 20));

        assert!(self.audit.problems.is_empty(), "{:#?}", self.audit.problems);
        let dead: u64 = totals.dead_letters.values().sum();
        let filtered: u64 = totals.filtered.values().sum();
        assert_eq!((distinct, distinct + filtered), (totals.stored + dead, sent), "every message has one outcome");
        let missing: Vec<_> = FaultKind::ALL.into_iter().filter(|kind| !injected.contains_key(kind)).collect();
        assert!(missing.is_empty(), "these faults never injected_disruptions: {missing:?}");
    }
}

fn total(counts: &ResultCounts, matches: impl Fn(Kind, DeliveryResult) -> bool) -> u64 {
    counts.iter().filter(|((kind, result), _)| matches(*kind, *result)).map(|(_, count)| count).sum()
}

fn line(what: &str, value: impl std::fmt::Display) {
    println!("{what:<44} {value:>16}");
}
