//! Plans with one fault, each for a behaviour that few seeds reach.

use std::time::Duration;

use fastrand::Rng;

use crate::faults::{Event, Fault, FaultKind, Plan, Target};
use crate::settings;
use crate::world::{Run, Source, run_plan};

/// Runs a plan with the default settings and four sets of messages, and fails if an invariant does not hold.
fn run_scenario(plan: impl Fn() -> Plan) -> Vec<Run> {
    let run = |seed| {
        let run = run_plan(settings::variant(0), Source::Push, 3, plan(), Rng::with_seed(seed), true);
        let end = run.trace.len().saturating_sub(40);
        assert_eq!(run.violation, None, "seed {seed}:\n{}", run.trace[end..].join("\n"));
        run
    };
    (0..4).map(run).collect()
}

fn count(run: &Run, text: &str) -> usize {
    run.trace.iter().filter(|line| line.contains(text)).count()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_dead_letter_table_deleted_at_run_time_is_created_again() {
    for run in run_scenario(|| Plan { events: vec![(seconds(20), Event::DeleteDeadLetterTable)], ..Plan::default() }) {
        let deleted = run.trace.iter().position(|line| line.contains("DeleteDeadLetterTable")).unwrap();
        let letters = run.trace[deleted..].iter().filter(|line| line.contains("stored as a dead letter")).count();
        assert!(letters > 0 && count(&run, "dead_letters is created") >= 1, "{letters}");
    }
}

#[test]
fn a_table_that_does_not_exist_is_not_asked_for_without_a_pause() {
    let kind = FaultKind::Error { status: 404, reason: "notFound", retry_after: None };
    let fault = Fault { kind, target: Target::Inserts, from: seconds(5), until: seconds(45), percent: 100 };
    for run in run_scenario(|| Plan { faults: vec![fault.clone()], ..Plan::default() }) {
        let is_read = |line: &&String| line.contains("GET /bigquery/v2/projects/p/datasets/d/tables/pixel:");
        let time = |line: &&String| line.trim_start().split(' ').next().unwrap().parse::<f64>().unwrap();
        let reads = run.trace.iter().filter(is_read).filter(|line| (6.0..45.0).contains(&time(line))).count();
        // One in ten seconds by each of up to three instances.
        assert!((1..=15).contains(&reads), "{reads} reads of the template table");
    }
}

#[test]
fn events_are_stored_when_the_template_changes_during_a_read() {
    let slow = Fault { kind: FaultKind::Slow { millis: 3000 }, target: Target::Tables, from: seconds(5), until: seconds(60), percent: 100 };
    let changes = [10_000, 11_000, 14_500, 20_000, 21_500, 30_000, 30_400];
    let plan = || Plan {
        faults: vec![slow.clone()],
        events: changes.iter().map(|at| (Duration::from_millis(*at), Event::ReplaceTemplate)).collect(),
        ..Plan::default()
    };
    run_scenario(plan);
}

#[test]
fn nothing_is_accepted_after_shutdown_began() {
    for run in run_scenario(|| Plan { events: vec![(seconds(10), Event::Shutdown), (seconds(25), Event::Shutdown)], ..Plan::default() }) {
        assert!(count(&run, "has ended") >= 2, "the instances end");
    }
}
