//! A writer of Prometheus's text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::counter::Labels;
use super::histogram::Histogram;

/// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>. Label values have no
/// character that needs an escape: they are constants of the code or names that [`super::parameter_names`] accepts.
#[derive(Debug)]
pub(super) struct PrometheusText(String);

impl PrometheusText {
    pub(super) fn new() -> Self {
        Self(String::with_capacity(8 << 10))
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.line(format_args!("# HELP pixel_pipeline_{name} {help}"));
        self.line(format_args!("# TYPE pixel_pipeline_{name} {kind}"));
    }

    pub(super) fn counters(&mut self, name: &str, help: &str, labels: &[&str], series: &BTreeMap<Labels, u64>) {
        self.head(name, help, "counter");
        for ((first, second), count) in series {
            let values = labels.iter().zip([first, second]);
            let pairs: Vec<String> = values.map(|(label, value)| format!("{label}=\"{value}\"")).collect();
            self.line(format_args!("pixel_pipeline_{name}{{{}}} {count}", pairs.join(",")));
        }
        self.0.push('\n');
    }

    pub(super) fn names(&mut self, name: &str, help: &str, series: &BTreeMap<String, u64>) {
        self.head(name, help, "counter");
        for (label, count) in series {
            self.line(format_args!("pixel_pipeline_{name}{{name=\"{label}\"}} {count}"));
        }
        self.0.push('\n');
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, count: u64) {
        self.head(name, help, "counter");
        self.line(format_args!("pixel_pipeline_{name} {count}\n"));
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, labels: &str, value: usize) {
        self.head(name, help, "gauge");
        self.line(format_args!("pixel_pipeline_{name}{labels} {value}\n"));
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram, bounds: &[f64]) {
        let buckets = histogram.read();
        let count = buckets.count();
        self.head(name, help, "histogram");
        for bound in bounds {
            let up_to = histogram.count_up_to(*bound, &buckets);
            self.line(format_args!("pixel_pipeline_{name}_bucket{{le=\"{bound}\"}} {up_to}"));
        }
        self.line(format_args!("pixel_pipeline_{name}_bucket{{le=\"+Inf\"}} {count}"));
        self.line(format_args!("pixel_pipeline_{name}_sum {}", buckets.sum));
        self.line(format_args!("pixel_pipeline_{name}_count {count}\n"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a String takes every text");
    }
}
