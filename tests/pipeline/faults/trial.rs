//! A steady stream of messages, for as long as something is wrong and until all is well again.

use std::sync::Arc;
use std::time::Duration;

use bigquery_emulator::Fault;

use crate::support::ledger::{Ledger, PATIENCE};
use crate::support::pubsub::{Message, Player};
use crate::support::{Service, TestBigQuery};

/// Long enough for several attempts, short enough to see it expire.
const PUSH_DEADLINE: &str = "2s";
/// Bound of the 99th percentile, from first delivery to ack, of messages that the failure does not concern.
/// Half of PUSH_DEADLINE: a message for a failing table waits until its deadline. The others are acked in milliseconds, or in
/// tenths of a second if two cores run several tests at once.
pub const PROMPT: Duration = Duration::from_secs(1);

/// Part of the names of the tables that fail, if only some do.
pub const SICK_TABLES: &str = "_sick";

// The kinds of messages.
/// Rows of three tables that do not fail.
pub const WELL: &str = "well";
/// Rows of the table that fails.
pub const SICK: &str = "sick";
/// Rows that this table refuses.
pub const POISON: &str = "poison";
/// Dead letters.
pub const REJECTED: &str = "rejected";
/// What is not tracked.
pub const FILTERED: &str = "filtered";

/// A service under load. Everything of it ends with its handle.
pub struct Trial {
    pub bigquery: TestBigQuery,
    pub service: Service,
    pub player: Player,
    /// Processes that were there before.
    replaced: Vec<Service>,
}

impl Trial {
    /// With an empty BigQuery, once each kind of message was acked.
    pub async fn start() -> Self {
        let bigquery = TestBigQuery::start().await;
        let service = Service::start(&bigquery, &settings(&[])).await;
        let trial = Self::under_load(bigquery, service);
        trial.warm_up().await;
        trial
    }

    /// The same with that BigQuery and that service, which may not be ready.
    pub fn under_load(bigquery: TestBigQuery, service: Service) -> Self {
        let mut player = Player::new(&service.url, Ledger::new(bigquery.witness()));
        send_usual(&mut player);
        Self { bigquery, service, player, replaced: Vec::new() }
    }

    /// Waits until each kind of message was acked.
    pub async fn warm_up(&self) {
        let ledger = self.ledger();
        ledger
            .until("all kinds of messages are acked", async || [WELL, SICK, REJECTED, FILTERED].iter().all(|kind| ledger.acked(kind) >= 3))
            .await;
    }

    /// What was answered.
    pub fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.player.ledger)
    }

    /// Waits until that many insertAll requests failed from now on, and in the same time a percentile's worth of
    /// messages of these kinds was acked. Percentiles are of messages from now on.
    pub async fn suffer(&self, failures: u64, unaffected: &[&str]) {
        let ledger = self.ledger();
        ledger.times_from_now();
        let failed = || self.bigquery.faults().insert_all_requests().failed;
        let acked = || unaffected.iter().map(|kind| ledger.acked(kind)).collect::<Vec<_>>();
        let (failed_before, acked_before) = (failed(), acked());
        ledger
            .until("the fault happens, and the stream goes on", async || {
                failed() >= failed_before + failures && acked().iter().zip(&acked_before).all(|(now, before)| *now >= before + 120)
            })
            .await;
    }

    /// Another process takes over.
    pub fn replace(&mut self, service: Service) {
        self.player.redirect(&service.url);
        self.replaced.push(std::mem::replace(&mut self.service, service));
    }

    /// Ends the stream, and checks what holds in every case.
    pub async fn recover(mut self) -> Arc<Ledger> {
        self.player.drain(PATIENCE).await;
        let ledger = self.ledger();
        ledger.check_acks();
        ledger.reconcile(&self.bigquery).await;
        self.replaced.push(self.service);
        for service in self.replaced {
            let log = service.whole_log().await;
            let panics: Vec<&String> = log.iter().filter(|line| line.contains("a panic, which is a bug")).collect();
            assert!(log.iter().any(|line| line.contains("listening")) && panics.is_empty(), "{panics:#?}");
        }
        ledger
    }
}

/// The usual messages.
pub fn send_usual(player: &mut Player) {
    for user in ["well1", "well2", "well3"] {
        player.send(WELL, 2, Duration::from_millis(50), move || Message::event(user, "1"));
    }
    player.send(SICK, 4, Duration::from_millis(40), || Message::event("sick", "1"));
    player.send(REJECTED, 1, Duration::from_millis(100), Message::rejected);
    player.send(FILTERED, 1, Duration::from_millis(100), Message::filtered);
}

/// Settings of a service under trial.
pub fn settings<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [("PUSH_DEADLINE", PUSH_DEADLINE)].iter().chain(more).copied().collect()
}

/// One table fails in that way until it has done so several times, and deliveries were nacked for it. Then all is
/// well again.
pub async fn one_table_fails(fault: Fault) {
    let trial = Trial::start().await;
    trial.bigquery.faults().always_on(SICK_TABLES, fault);
    trial.suffer(3, &[WELL]).await;
    let ledger = trial.ledger();
    ledger.until("the table's messages are nacked", async || ledger.nacked(SICK) >= 3).await;
    trial.bigquery.faults().always(None);
    trial.recover().await;
    unaffected(&ledger, &[WELL]);
    assert_eq!((ledger.nacked(REJECTED), ledger.nacked(FILTERED)), (0, 0), "other messages nacked");
    assert_eq!(ledger.cut_off(SICK), 0, "not answered before the ack deadline");
}

/// The failure did not affect these messages.
pub fn unaffected(ledger: &Ledger, kinds: &[&str]) {
    for kind in kinds {
        assert_eq!((ledger.nacked(kind), ledger.cut_off(kind)), (0, 0), "{kind} messages nacked or cut off");
        let p99 = ledger.p99(kind);
        assert!(p99 <= PROMPT, "the p99 of {kind} messages is {p99:?}");
    }
}
