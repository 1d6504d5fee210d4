//! The cost of a month of events: a pure function of their number.
//!
//! Events are spread evenly over the month. Bursts make Cloud Run cheaper and change no other cost.

use serde::Serialize;

use super::assumed::{
    ENTRY, INSTANCE_RATE, MEMORY, MESSAGE, MISSES, MONTH_SECONDS, PUSH, QUERIES, REQUEST, RESPONSE, ROW, RUN_LOG_ENTRY, VCPU,
};
use super::numbers::{amount, dollars};
use super::prices::{
    self, BUCKET_READS, BUCKET_STORAGE, CACHE_FILL, CACHE_LOOKUPS, CACHE_TRANSFER, DATA_PROCESSED, FORWARDING_RULES, GIB, LOG_STORAGE,
    MESSAGE_THROUGHPUT, MIN_MESSAGE_REQUEST, MIN_STREAMED_ROW, Price, RUN_CPU, RUN_MEMORY, RUN_REQUESTS, STREAMED_ROWS, TABLE_STORAGE,
};

/// A month of events, and the cost of each part of the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Estimate {
    pub(crate) events_per_month: u64,
    /// The billed items, fixed ones first.
    pub(crate) lines: Vec<LineItem>,
    /// The additional cost of each optional setting.
    pub(crate) options: Vec<LineItem>,
    pub(crate) fixed_dollars: f64,
    pub(crate) marginal_dollars: f64,
    pub(crate) total_dollars: f64,
    /// Of the marginal part; none without events.
    pub(crate) dollars_per_million: Option<f64>,
}

/// One billed item.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct LineItem {
    pub(crate) part: &'static str,
    pub(crate) billed: &'static str,
    /// In `unit`, free tier included.
    pub(crate) quantity: f64,
    pub(crate) unit: &'static str,
    pub(crate) formula: String,
    pub(crate) dollars: f64,
    pub(crate) dollars_per_million: Option<f64>,
    /// Whether it costs the same without any event.
    pub(crate) fixed: bool,
}

/// A displayed quantity: base units divided by `by`.
struct Unit {
    by: f64,
    name: &'static str,
}

const IN_GIB: Unit = Unit { by: GIB, name: "GiB" };

const fn pieces(name: &'static str) -> Unit {
    Unit { by: 1.0, name }
}

/// Estimates a month with this number of events.
pub(crate) fn estimate(events_per_month: u64) -> Estimate {
    let events = events_per_month as f64;
    let millions = (events_per_month > 0).then_some(events / 1e6);
    let line = |part, billed, how: String, quantity: f64, unit: &Unit, price: &Price| {
        let dollars = price.of(quantity);
        LineItem {
            part,
            billed,
            quantity: quantity / unit.by,
            unit: unit.name,
            formula: formula(&how, unit, price),
            dollars,
            dollars_per_million: millions.map(|millions| dollars / millions),
            fixed: false,
        }
    };

    let through = events * MISSES * (REQUEST + RESPONSE);
    let message = MESSAGE.max(MIN_MESSAGE_REQUEST);
    let busy = busy(events);
    let row = ROW.max(MIN_STREAMED_ROW);
    let own_log = events * RUN_LOG_ENTRY;
    let percent = MISSES * 100.0;

    let hours = Unit { by: 3600.0, name: "hours" };
    let mut rules = line("Load balancer", "forwarding rules", "730 h".to_owned(), MONTH_SECONDS, &hours, &FORWARDING_RULES);
    rules.fixed = true;
    rules.dollars_per_million = None;
    let lines = vec![
        rules,
        line(
            "Load balancer",
            "data processed",
            format!("events × {percent} % misses × {} B", amount(REQUEST + RESPONSE)),
            through,
            &IN_GIB,
            &DATA_PROCESSED,
        ),
        line("Cloud CDN", "cache lookups", "events".to_owned(), events, &pieces("lookups"), &CACHE_LOOKUPS),
        line("Cloud CDN", "data from the cache", format!("events × {RESPONSE} B"), events * RESPONSE, &IN_GIB, &CACHE_TRANSFER),
        line(
            "Cloud CDN",
            "data into the cache",
            format!("events × {percent} % × {RESPONSE} B"),
            events * MISSES * RESPONSE,
            &IN_GIB,
            &CACHE_FILL,
        ),
        line("Cloud Storage", "reads of the pixel", format!("events × {percent} %"), events * MISSES, &pieces("reads"), &BUCKET_READS),
        line("Cloud Logging", "request log of Cloud Run", format!("events × {} B", amount(RUN_LOG_ENTRY)), own_log, &IN_GIB, &LOG_STORAGE),
        line(
            "Pub/Sub",
            "publish and push",
            format!("2 × events × {} B", amount(message)),
            2.0 * events * message,
            &IN_GIB,
            &MESSAGE_THROUGHPUT,
        ),
        line("Cloud Run", "CPU", format!("month × busy × {VCPU} vCPU"), busy * VCPU, &pieces("vCPU-seconds"), &RUN_CPU),
        line(
            "Cloud Run",
            "memory",
            format!("month × busy × {} GiB", MEMORY / GIB),
            busy * MEMORY / GIB,
            &pieces("GiB-seconds"),
            &RUN_MEMORY,
        ),
        line("Cloud Run", "requests", "events".to_owned(), events, &pieces("requests"), &RUN_REQUESTS),
        line("BigQuery", "streamed rows", format!("events × {} B", amount(row)), events * row, &IN_GIB, &STREAMED_ROWS),
        line("BigQuery", "storage of the month's rows", format!("events × {ROW} B"), events * ROW, &IN_GIB, &TABLE_STORAGE),
        line(
            "BigQuery",
            "a query a day over them",
            format!("{QUERIES} × events × {ROW} B"),
            QUERIES * events * ROW,
            &IN_GIB,
            &prices::QUERIES,
        ),
    ];

    // The log of the service uses up the free tier first.
    let mut unexcluded =
        line("Cloud Logging", "EXCLUDE_FROM_DEFAULT=false", format!("events × {} B", amount(ENTRY)), events * ENTRY, &IN_GIB, &LOG_STORAGE);
    unexcluded.dollars = LOG_STORAGE.of(own_log + events * ENTRY) - LOG_STORAGE.of(own_log);
    unexcluded.dollars_per_million = millions.map(|millions| unexcluded.dollars / millions);
    let archive = line(
        "Cloud Storage",
        "ARCHIVE=true",
        format!("each month kept: events × {} B", amount(ENTRY)),
        events * ENTRY,
        &IN_GIB,
        &BUCKET_STORAGE,
    );

    let sum = |fixed| lines.iter().filter(|line| line.fixed == fixed).map(|line| line.dollars).sum::<f64>();
    let (fixed_dollars, marginal_dollars) = (sum(true), sum(false));
    Estimate {
        events_per_month,
        fixed_dollars,
        marginal_dollars,
        total_dollars: fixed_dollars + marginal_dollars,
        dollars_per_million: millions.map(|millions| marginal_dollars / millions),
        options: vec![unexcluded, archive],
        lines,
    }
}

/// Seconds of a month that instances of the service are billed for: those in which they have a request.
///
/// Pushes arrive at random and take `PUSH` seconds each, so that one instance has none for the share e^(-rate × PUSH) of
/// the time. Few events are billed for a tenth of a second each, many for an instance that is always on, and more for
/// another instance per `INSTANCE_RATE`.
fn busy(events: f64) -> f64 {
    let rate = events / MONTH_SECONDS;
    let one = -(-rate * PUSH).exp_m1();
    MONTH_SECONDS * one.max(rate / INSTANCE_RATE)
}

fn formula(how: &str, unit: &Unit, price: &Price) -> String {
    let free = if price.free > 0.0 { format!(" − {} {} free", amount(price.free / unit.by), unit.name) } else { String::new() };
    format!("{how}{free}, at ${} / {}", dollars(price.dollars), price.unit)
}

impl Estimate {
    /// Notes on the figures.
    pub(crate) fn notes(&self) -> Vec<String> {
        let stored = self.events_per_month as f64 * ROW;
        // Three months at the full price, nine at half of it.
        let year = TABLE_STORAGE.of((3.0 + 9.0 / 2.0) * stored);
        let own_log = LOG_STORAGE.of(self.events_per_month as f64 * RUN_LOG_ENTRY);
        let mut notes = vec![
            format!(
                "List prices for us-central1 and the US, read on {}, without discounts or taxes; other regions differ. Free tiers are \
                 counted once a month, as if nothing else used them.",
                prices::READ
            ),
            format!(
                "busy = max(1 − e^(−r × {PUSH} s), r / {}), with r events a second: the share of the month in which an instance has a \
                 request. MIN_INSTANCES above 0 costs more.",
                amount(INSTANCE_RATE)
            ),
            "Routing log entries to Pub/Sub costs nothing; EXCLUDE_FROM_DEFAULT=false stores them in Cloud Logging as well. ARCHIVE \
             keeps the months within ARCHIVE_DAYS."
                .to_owned(),
            format!(
                "Rows accumulate: after a year, their storage costs ${} a month. A query is charged for the bytes of its columns, and for \
                 at least 10 MiB per table.",
                dollars(year)
            ),
            "Not counted, because each is below a cent or within a free tier: the image in Artifact Registry and its builds, the pixel itself, \
             metrics, redeliveries, dead letters."
                .to_owned(),
        ];
        if own_log > 0.0 {
            notes.push(format!(
                "Cloud Run logs each push. Excluding its request log from _Default as well would save ${} a month.",
                dollars(own_log)
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every line of an estimate, in dollars.
    fn costs(estimate: &Estimate) -> Vec<(&'static str, &'static str, f64)> {
        estimate.lines.iter().chain(&estimate.options).map(|line| (line.part, line.billed, line.dollars)).collect()
    }

    /// Compares to a hundredth of a cent.
    fn assert_costs(events: u64, expected: &[(&'static str, &'static str, f64)]) {
        let estimate = estimate(events);
        let round = |dollars: f64| (dollars * 10_000.0).round() / 10_000.0;
        let found: Vec<_> = costs(&estimate).into_iter().map(|(part, billed, dollars)| (part, billed, round(dollars))).collect();
        assert_eq!(found, expected);
        let sum: f64 = estimate.lines.iter().map(|line| line.dollars).sum();
        assert!((estimate.total_dollars - sum).abs() < 1e-9);
        assert_eq!(estimate.fixed_dollars, 18.25);
    }

    #[test]
    fn a_million_events_are_within_most_free_tiers() {
        assert_costs(
            1_000_000,
            &[
                // 730 h × $0.025
                ("Load balancer", "forwarding rules", 18.25),
                // 1,000,000 × 5 % × 1,300 B = 0.0605 GiB, × $0.008
                ("Load balancer", "data processed", 0.0005),
                // 1,000,000 / 10,000 × $0.0075
                ("Cloud CDN", "cache lookups", 0.75),
                // 1,000,000 × 700 B = 0.6519 GiB, × $0.08
                ("Cloud CDN", "data from the cache", 0.0522),
                // 1,000,000 × 5 % × 700 B = 0.0326 GiB, × $0.04
                ("Cloud CDN", "data into the cache", 0.0013),
                // 50,000 / 1,000 × $0.0004
                ("Cloud Storage", "reads of the pixel", 0.02),
                // 0.93 of 50 GiB
                ("Cloud Logging", "request log of Cloud Run", 0.0),
                // 2 × 1,350,000,000 B = 2.51 of 10 GiB
                ("Pub/Sub", "publish and push", 0.0),
                // 0.3805 events/s: 1 − e^-0.03805 = 3.73 % of 2,628,000 s = 98,115 of 180,000 vCPU-seconds
                ("Cloud Run", "CPU", 0.0),
                // 49,058 of 360,000 GiB-seconds
                ("Cloud Run", "memory", 0.0),
                // 1 of 2 million
                ("Cloud Run", "requests", 0.0),
                // 1,000,000 × 1 KiB = 976.56 MiB, / 200 × $0.01
                ("BigQuery", "streamed rows", 0.0488),
                // 0.48 of 10 GiB
                ("BigQuery", "storage of the month's rows", 0.0),
                // 14.3 of 1,024 GiB
                ("BigQuery", "a query a day over them", 0.0),
                // 0.93 + 1.16 of 50 GiB
                ("Cloud Logging", "EXCLUDE_FROM_DEFAULT=false", 0.0),
                // 1.1642 GiB × $0.026
                ("Cloud Storage", "ARCHIVE=true", 0.0303),
            ],
        );
    }

    #[test]
    fn a_hundred_million_events_exceed_the_free_tiers() {
        assert_costs(
            100_000_000,
            &[
                ("Load balancer", "forwarding rules", 18.25),
                // 6.0536 GiB × $0.008
                ("Load balancer", "data processed", 0.0484),
                // 10,000 × $0.0075
                ("Cloud CDN", "cache lookups", 75.0),
                // 65.1926 GiB × $0.08
                ("Cloud CDN", "data from the cache", 5.2154),
                // 3.2596 GiB × $0.04
                ("Cloud CDN", "data into the cache", 0.1304),
                // 5,000 × $0.0004
                ("Cloud Storage", "reads of the pixel", 2.0),
                // (93.1323 − 50) GiB × $0.50
                ("Cloud Logging", "request log of Cloud Run", 21.5661),
                // (251.4571 − 10) GiB / 1,024 × $40
                ("Pub/Sub", "publish and push", 9.4319),
                // 38.05 events/s: 1 − e^-3.805 = 97.7744 % of 2,628,000 s = 2,569,512; (− 180,000) × $0.000024
                ("Cloud Run", "CPU", 57.3483),
                // (1,284,756 − 360,000) × $0.0000025
                ("Cloud Run", "memory", 2.3119),
                // 98 × $0.40
                ("Cloud Run", "requests", 39.2),
                // 97,656.25 MiB / 200 × $0.01
                ("BigQuery", "streamed rows", 4.8828),
                // (47.6837 − 10) GiB × $0.02
                ("BigQuery", "storage of the month's rows", 0.7537),
                // (1,430.51 − 1,024) GiB / 1,024 × $6.25
                ("BigQuery", "a query a day over them", 2.4811),
                // 116.4153 GiB × $0.50: the log of the service has used up the free tier
                ("Cloud Logging", "EXCLUDE_FROM_DEFAULT=false", 58.2077),
                // 116.4153 GiB × $0.026
                ("Cloud Storage", "ARCHIVE=true", 3.0268),
            ],
        );
    }

    #[test]
    fn without_events_there_is_only_the_fixed_part() {
        let estimate = estimate(0);
        assert_eq!((estimate.total_dollars, estimate.marginal_dollars, estimate.dollars_per_million), (18.25, 0.0, None));
    }

    #[test]
    fn a_free_tier_includes_its_last_unit() {
        let requests = |events| estimate(events).lines.iter().find(|line| line.billed == "requests").unwrap().dollars;
        assert_eq!(requests(2_000_000), 0.0);
        // A million past it.
        assert!((requests(3_000_000) - 0.40).abs() < 1e-9);
    }

    #[test]
    fn few_events_are_billed_singly_and_many_by_instance() {
        // A thousand a month hardly ever meet: each is billed for its tenth of a second.
        assert!((busy(1_000.0) - 100.0).abs() < 0.01, "{}", busy(1_000.0));
        // A hundred a second are always in flight: one instance, all month.
        assert!((busy(100.0 * MONTH_SECONDS) - MONTH_SECONDS).abs() < 200.0);
        // 3,000 a second are as many as one instance takes; 30,000 need ten.
        assert_eq!(INSTANCE_RATE, 3_000.0);
        assert_eq!(busy(30_000.0 * MONTH_SECONDS), 10.0 * MONTH_SECONDS);
    }

    #[test]
    fn the_assumed_entry_is_as_long_as_the_fixtures() {
        let entries = include_str!("../../../tests/fixtures/load_balancer.jsonl");
        let lengths: Vec<f64> = entries.lines().map(|line| line.len() as f64).collect();
        let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
        assert!((0.9..1.1).contains(&(ENTRY / mean)), "mean of the fixtures: {mean} B");
    }

    #[test]
    fn every_price_names_its_page_and_day() {
        for (name, price) in prices::ALL {
            assert!(price.page.starts_with("https://cloud.google.com/"), "{name}");
            assert!(price.read.parse::<jiff::civil::Date>().is_ok(), "{name}");
            assert!(price.dollars > 0.0 && price.per > 0.0 && price.free >= 0.0, "{name}");
        }
    }

    proptest! {
        #[test]
        fn more_events_never_cost_less(some in 0..=1_000_000_000_000_u64, more in 0..=1_000_000_000_000_u64) {
            let (less, more) = (estimate(some.min(more)), estimate(some.max(more)));
            for ((part, billed, few), (_, _, many)) in costs(&less).into_iter().zip(costs(&more)) {
                // The options are differences of rounded values.
                prop_assert!(few <= many * (1.0 + 1e-9) + 1e-9, "{part}, {billed}: {few} > {many}");
            }
            prop_assert!(less.total_dollars <= more.total_dollars * (1.0 + 1e-9));
            prop_assert!(more.total_dollars.is_finite());
        }
    }
}
