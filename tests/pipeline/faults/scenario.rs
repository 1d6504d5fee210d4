//! What all fault tests share: the load, and the checks during a failure and after it.

use std::sync::Arc;
use std::time::Duration;

use bigquery_emulator::Fault;

use crate::support::delivery_log::DeliveryLog;
use crate::support::lag::LagMonitor;
use crate::support::load_generator::{LoadGenerator, TestMessage};
use crate::support::{Service, TestBigQuery};

/// Long enough for several attempts, and short enough that tests wait for its end.
const PUSH_DEADLINE: &str = "2s";
/// Limit of the 99th percentile of response times of unaffected messages. This bound is the feature: a message for a
/// failing table waits for its PUSH_DEADLINE, and the others must not wait with it. The usual value is some milliseconds.
pub const MAX_P99: Duration = Duration::from_secs(1);
/// A delivery passes the runtime of the test this often: sender, emulator, response to the service, response to the
/// sender. Each passage may be late by the lag of that runtime.
const RUNTIME_PASSAGES: u32 = 4;

/// Part of the name of the failing table.
pub const FAILING_TABLES: &str = "_failing";

// The kinds of messages.
/// Rows of three tables that do not fail.
pub const HEALTHY: &str = "healthy";
/// Rows of the failing table.
pub const FAILING: &str = "failing";
/// Rows that the failing table refuses.
pub const INVALID: &str = "invalid";
/// Messages that are not log entries.
pub const REJECTED: &str = "rejected";
/// Requests for another path.
pub const FILTERED: &str = "filtered";

/// A service under load. Its processes are killed on drop.
pub struct Scenario {
    pub bigquery: TestBigQuery,
    pub service: Service,
    pub load: LoadGenerator,
    /// Earlier processes.
    replaced: Vec<Service>,
    lag: LagMonitor,
}

impl Scenario {
    /// Starts with an empty BigQuery. Waits until messages of each kind were acked.
    pub async fn start() -> Self {
        let bigquery = TestBigQuery::start().await;
        let service = Service::start(&bigquery, &settings(&[])).await;
        let scenario = Self::under_load(bigquery, service);
        scenario.warm_up().await;
        scenario
    }

    /// Starts the load of a service, which may not be ready.
    pub fn under_load(bigquery: TestBigQuery, service: Service) -> Self {
        let mut load = LoadGenerator::new(&service.url, DeliveryLog::new(bigquery.stored_lookup()));
        send_usual_messages(&mut load);
        Self { bigquery, service, load, replaced: Vec::new(), lag: LagMonitor::start() }
    }

    /// Waits until messages of each kind were acked.
    pub async fn warm_up(&self) {
        let deliveries = self.deliveries();
        let is_warm = async || [HEALTHY, FAILING, REJECTED, FILTERED].iter().all(|kind| deliveries.acked(kind) >= 3);
        deliveries.wait_until("messages of each kind are acked", is_warm).await;
    }

    pub fn deliveries(&self) -> Arc<DeliveryLog> {
        Arc::clone(&self.load.deliveries)
    }

    /// Waits until `failures` more insertAll requests have failed, and enough messages of the unaffected kinds were acked
    /// meanwhile for a percentile. Percentiles are of messages from now on.
    pub async fn wait_for_failures(&self, failures: u64, unaffected: &[&str]) {
        let deliveries = self.deliveries();
        deliveries.reset_percentiles();
        self.lag.reset();
        let failed = || self.bigquery.faults().insert_all_requests().failed;
        let acked = || unaffected.iter().map(|kind| deliveries.acked(kind)).collect::<Vec<_>>();
        let (failed_before, acked_before) = (failed(), acked());
        let has_failed =
            async || failed() >= failed_before + failures && acked().iter().zip(&acked_before).all(|(now, before)| *now >= before + 120);
        deliveries.wait_until(&format!("{failures} requests fail, and {unaffected:?} messages are acked"), has_failed).await;
    }

    /// Directs the load to another process.
    pub fn replace(&mut self, service: Service) {
        self.load.redirect(&service.url);
        self.replaced.push(std::mem::replace(&mut self.service, service));
    }

    /// The responses so far.
    pub fn responses(&self) -> Responses {
        Responses { deliveries: self.deliveries(), lag: self.lag.max() }
    }

    /// Ends the load and checks that every message is stored once and no process has panicked.
    pub async fn finish(mut self) -> Responses {
        self.load.drain().await;
        let deliveries = self.deliveries();
        deliveries.assert_no_early_acks();
        deliveries.reconcile(&self.bigquery).await;
        self.replaced.push(self.service);
        for service in self.replaced {
            let log = service.whole_log().await;
            let panics: Vec<&String> = log.iter().filter(|line| line.contains("a panic, which is a bug")).collect();
            assert!(log.iter().any(|line| line.contains("listening")) && panics.is_empty(), "{panics:#?}");
        }
        Responses { deliveries, lag: self.lag.max() }
    }
}

/// The responses of a scenario, and the lag since its percentiles began.
pub struct Responses {
    pub deliveries: Arc<DeliveryLog>,
    lag: Duration,
}

impl Responses {
    /// The failure did not affect messages of these kinds.
    pub fn assert_unaffected(&self, kinds: &[&str]) {
        for kind in kinds {
            let counts = (self.deliveries.nacked(kind), self.deliveries.aborted(kind));
            assert_eq!(counts, (0, 0), "{kind} messages nacked, and without a response");
            self.assert_p99(kind);
        }
    }

    /// The response times of messages of this kind are within [`MAX_P99`], plus the lag of the test's own runtime.
    pub fn assert_p99(&self, kind: &str) {
        let (p99, limit) = (self.deliveries.p99(kind), MAX_P99 + RUNTIME_PASSAGES * self.lag);
        assert!(p99 <= limit, "the p99 of {kind} messages is {p99:?}, and the limit {limit:?}");
    }
}

/// Starts senders of each usual kind.
pub fn send_usual_messages(load: &mut LoadGenerator) {
    for user in ["healthy1", "healthy2", "healthy3"] {
        load.send(HEALTHY, 2, Duration::from_millis(50), move || TestMessage::event(user, "1"));
    }
    load.send(FAILING, 4, Duration::from_millis(40), || TestMessage::event("failing", "1"));
    load.send(REJECTED, 1, Duration::from_millis(100), TestMessage::rejected);
    load.send(FILTERED, 1, Duration::from_millis(100), TestMessage::filtered);
}

/// Settings of the service, with `more` besides.
pub fn settings<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [("PUSH_DEADLINE", PUSH_DEADLINE)].iter().chain(more).copied().collect()
}

/// Injects the fault for one table until several of its deliveries were nacked. Then the fault ends.
pub async fn one_table_fails(fault: Fault) {
    let scenario = Scenario::start().await;
    scenario.bigquery.faults().always_on(FAILING_TABLES, fault);
    scenario.wait_for_failures(3, &[HEALTHY]).await;
    let deliveries = scenario.deliveries();
    deliveries.wait_until("the table's messages are nacked", async || deliveries.nacked(FAILING) >= 3).await;
    scenario.bigquery.faults().always(None);
    scenario.finish().await.assert_unaffected(&[HEALTHY]);
    assert_eq!((deliveries.nacked(REJECTED), deliveries.nacked(FILTERED)), (0, 0), "other messages nacked");
    assert_eq!(deliveries.aborted(FAILING), 0, "messages without a response within the ack deadline");
}
