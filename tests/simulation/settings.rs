//! The settings of the service in a run.

use std::sync::OnceLock;

use clap::FromArgMatches as _;
use futures_util::FutureExt as _;
use pixel_pipeline::config::settings::{AUTO_CREATE, BATCH_MAX_BYTES, BATCH_MAX_INSERTS, BATCH_MAX_ROWS, MAX_IN_FLIGHT};
use pixel_pipeline::config::{Config, ServeArgs};

/// A configuration, and the limits that the run checks.
#[derive(Debug)]
pub struct Settings {
    pub flags: &'static [&'static str],
    pub config: Config,
    pub rows: usize,
    pub bytes: usize,
    pub inserts: usize,
    pub in_flight: usize,
    pub is_auto_create: bool,
}

/// Each differs from the defaults in what is named here.
const VARIANTS: [&[&str]; 16] = [
    &[],
    &["--table-suffix="],
    &["--table-suffix=_{date}"],
    &["--batch-max-rows=3"],
    &["--batch-max-rows=1"],
    &["--batch-max-bytes=700"],
    &["--batch-max-inserts=1"],
    &["--batch-max-inserts=2", "--batch-max-rows=4"],
    &["--max-new-tables-per-hour=2"],
    &["--max-in-flight=4"],
    &["--push-deadline=2s"],
    &["--push-deadline=30s", "--batch-max-rows=20"],
    &["--batch-gzip=true"],
    &["--auto-create=false"],
    &["--max-in-flight-bytes=3000"],
    &["--table-suffix=", "--batch-max-rows=5", "--push-deadline=50s"],
];

/// The number of variants.
pub const COUNT: usize = VARIANTS.len();

/// A variant; the first one has the defaults.
pub fn variant(index: usize) -> &'static Settings {
    static SETTINGS: OnceLock<Vec<Settings>> = OnceLock::new();
    &SETTINGS.get_or_init(|| VARIANTS.iter().map(|flags| load(flags)).collect())[index]
}

fn load(flags: &'static [&'static str]) -> Settings {
    let command = <ServeArgs as clap::Args>::augment_args(clap::Command::new("serve"));
    let fixed = ["serve", "--project-id=p", "--dataset=d", "--push-auth=none"];
    let matches = command.try_get_matches_from(fixed.iter().chain(flags)).expect("the flags exist");
    let args = ServeArgs::from_arg_matches(&matches).expect("the flags are read");
    let loaded = args.load().now_or_never().expect("the project is set, so nothing is requested");
    let config = loaded.unwrap_or_else(|problems| panic!("{flags:?}: {problems:?}"));
    let values = &config.values;
    Settings {
        flags,
        rows: values.number(&BATCH_MAX_ROWS),
        bytes: values.number(&BATCH_MAX_BYTES),
        inserts: values.number(&BATCH_MAX_INSERTS),
        in_flight: values.number(&MAX_IN_FLIGHT),
        is_auto_create: values.boolean(&AUTO_CREATE),
        config,
    }
}
