//! Log lines: for a person on a terminal, as Cloud Logging's structured JSON elsewhere.
//!
//! JSON members: <https://cloud.google.com/logging/docs/structured-logging#special-payload-fields>.
//! A field `trace` of an event becomes `logging.googleapis.com/trace`, which puts the line below
//! the request that caused it. No line may contain a query value, a user id, a body or a token. Names of generated tables
//! contain user ids, so they are not logged either. Rust's default panic hook may print any value, so this file installs
//! another one. Lines of other crates below `info` are never written, regardless of RUST_LOG: their debug lines may contain
//! values.

use std::any::Any;
use std::fmt;
use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::trace;

/// LOG_FORMAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// JSON, unless standard error is a terminal.
    Auto,
    /// One JSON object a line.
    Json,
    /// For a person.
    Text,
}

impl LogFormat {
    /// Whether standard error gets JSON.
    pub fn is_json(self) -> bool {
        match self {
            Self::Auto => !std::io::stderr().is_terminal(),
            Self::Json => true,
            Self::Text => false,
        }
    }
}

/// Starts logging to standard error. `level` is RUST_LOG, for example `info` or
/// `warn,pixel_pipeline=debug`; `project` is part of the name of a trace.
pub fn init(format: LogFormat, level: &str, project: &str) {
    let filter: Targets = level.parse().unwrap_or_else(|_| Targets::new().with_default(Level::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let terminal = std::io::stderr().is_terminal();
    let json = format.is_json();
    let registry = tracing_subscriber::registry().with(filter).with(filter_fn(may_be_written));
    log_panics();
    // Fails only if a test has installed another subscriber.
    let _ = if json {
        registry.with(lines.event_format(CloudLogging { project: project.to_owned() })).try_init()
    } else {
        registry.with(lines.with_target(false).with_ansi(terminal)).try_init()
    };
}

/// Lines of this crate, and lines of other crates from `info` up.
fn may_be_written(metadata: &Metadata<'_>) -> bool {
    let is_ours = metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
    is_ours || *metadata.level() <= Level::INFO
}

/// Logs the location of a panic, and its message if that cannot contain a value.
fn log_panics() {
    std::panic::set_hook(Box::new(log_panic));
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    tracing::error!(location, reason = literal(panic.payload()), trace = trace::current(), "a panic, which is a bug");
}

/// The message of a panic if it is a literal in the source. A message that is formatted at run time is a String.
fn literal(payload: &dyn Any) -> Option<&'static str> {
    payload.downcast_ref::<&'static str>().copied()
}

/// An error and its causes, on one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

struct CloudLogging {
    project: String,
}

impl<S, N> FormatEvent<S, N> for CloudLogging
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let Fields(mut line) = fields;
        if let Some(Value::String(trace)) = line.remove("trace") {
            line.insert("logging.googleapis.com/trace".to_owned(), format!("projects/{}/traces/{trace}", self.project).into());
        }
        line.insert("severity".to_owned(), severity(*metadata.level()).into());
        line.insert("time".to_owned(), jiff::Timestamp::now().to_string().into());
        line.insert("target".to_owned(), metadata.target().into());
        if let (Some(file), Some(number)) = (metadata.file(), metadata.line()) {
            // The API has 64-bit numbers as strings.
            line.insert("logging.googleapis.com/sourceLocation".to_owned(), json!({"file": file, "line": number.to_string()}));
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG | Level::TRACE => "DEBUG",
    }
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::captured::Lines;
    use super::*;

    /// The lines that `run` writes in this thread.
    fn lines_of(run: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
        let layer = layer.event_format(CloudLogging { project: "p".to_owned() });
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run);
        lines.text()
    }

    #[test]
    fn the_line_about_a_panic_has_the_trace_of_its_request() {
        // Other tests of this process keep the hook that prints their panics.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            log_panic(panic);
            hook(panic);
        }));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let request = trace::scope(Some("5e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40".to_owned()), async {
            tokio::task::yield_now().await;
            panic!("a bug, made for a test")
        });
        let lines = lines_of(|| drop(catch_unwind(AssertUnwindSafe(|| runtime.block_on(request)))));
        let line: Value = serde_json::from_str(&lines).unwrap();
        assert_eq!(line["logging.googleapis.com/trace"], "projects/p/traces/5e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40", "{lines}");
        assert_eq!(line["reason"], "a bug, made for a test", "{lines}");
        assert_eq!(line["severity"], "ERROR", "{lines}");
    }

    #[test]
    fn the_message_of_a_panic_contains_no_value() {
        let user = String::from("planted");
        let payload = catch_unwind(|| panic!("no such user: {user}")).unwrap_err();
        assert_eq!(literal(&*payload), None);
        let text = "é".repeat(user.len());
        let payload = catch_unwind(|| text[1..].len()).unwrap_err();
        assert_eq!(literal(&*payload), None);
        let payload = catch_unwind(|| panic!("a literal")).unwrap_err();
        assert_eq!(literal(&*payload), Some("a literal"));
    }
}
