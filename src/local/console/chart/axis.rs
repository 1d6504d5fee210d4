//! An axis with round ticks and their labels.

use std::ops::Range;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// Distances between ticks of time, in seconds.
const STEPS: [i64; 20] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/// Protects against extreme ranges.
const MAX_TICKS: usize = 100;

/// A range of numbers and its ticks. Times are Unix time in seconds. Category n has the unit interval from n to n + 1.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    range: Range<f64>,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis with exactly these ticks.
    pub(crate) fn with_ticks(range: Range<f64>, ticks: Vec<(f64, String)>) -> Self {
        Self { range: widened(range), ticks }
    }

    /// An axis of numbers, with about `wanted` round ticks.
    pub(crate) fn numbers(range: Range<f64>, wanted: usize, label: impl Fn(f64) -> String) -> Self {
        let range = widened(range);
        let step = round_step((range.end - range.start) / wanted.max(1) as f64);
        let first = (range.start / step).ceil() as i64;
        let last = (range.end / step).floor() as i64;
        let ticks = (first..=last).take(MAX_TICKS).map(|tick| tick as f64 * step).map(|tick| (tick, label(tick))).collect();
        Self { range, ticks }
    }

    /// An axis from 0 to the first tick above `largest`.
    pub(crate) fn from_zero(largest: f64, label: impl Fn(f64) -> String) -> Self {
        let step = round_step(largest / 4.0);
        Self::numbers(0.0..(largest / step).ceil().max(1.0) * step, 4, label)
    }

    /// An axis of times in UTC, with at most `most` ticks.
    pub(crate) fn times(range: Range<f64>, most: usize) -> Self {
        let range = widened(range);
        let length = range.end - range.start;
        let fits = |step: &i64| length / *step as f64 <= most as f64;
        let week = 604_800;
        let step = STEPS.into_iter().find(fits).unwrap_or_else(|| ((length / most as f64 / week as f64).ceil() as i64).max(1) * week);
        let first = (range.start / step as f64).ceil() as i64;
        let last = (range.end / step as f64).floor() as i64;
        let ticks = (first..=last)
            .take(MAX_TICKS)
            .map(|tick| tick.saturating_mul(step) as f64)
            .map(|at| (at, time_label(at as i64, step)))
            .collect();
        Self { range, ticks }
    }

    /// Length of the longest label in characters.
    pub(crate) fn longest_label(&self) -> usize {
        self.ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        // The cast saturates, and turns NaN into 0.
        (f64::from(from) + share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            // No grid lines between the ticks.
            true => Vec::new(),
            false => self.ticks.iter().map(|(at, _)| *at).collect(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let label = self.ticks.iter().find(|(at, _)| at == value).map(|(_, label)| label.clone());
        label.unwrap_or_default()
    }
}

/// Gives an empty range a length, and limits a range whose length would be infinite.
fn widened(Range { start, end }: Range<f64>) -> Range<f64> {
    let range = start.max(-1e300)..end.min(1e300);
    if range.end > range.start { range } else { range.start - 0.5..range.start + 0.5 }
}

/// The smallest of …, 0.5, 1, 2, 5, 10, 20, … that is not smaller than `least`.
fn round_step(least: f64) -> f64 {
    if !least.is_finite() || least <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|factor| factor * power).find(|step| *step >= least * 0.999_999).unwrap_or(10.0 * power)
}

fn time_label(at: i64, step: i64) -> String {
    let Ok(time) = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_secs(at)) else { return String::new() };
    let time = Offset::UTC.to_datetime(time);
    let shape = match step {
        ..60 => "%H:%M:%S",
        60..86_400 if at % 86_400 == 0 => "%b %-d",
        60..86_400 => "%H:%M",
        _ => "%b %-d",
    };
    time.strftime(shape).to_string()
}

/// Formats `1234567` as `1.23M`.
pub(crate) fn short(value: f64) -> String {
    let (value, unit) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, "G"),
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = format!("{value:.2}");
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
    format!("{digits}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn number_axes_have_round_ticks_and_end_at_a_tick() {
        assert_eq!(labels(&Axis::from_zero(7.0, short)), ["0", "2", "4", "6", "8"]);
        assert_eq!(labels(&Axis::from_zero(0.3, short)), ["0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(&Axis::from_zero(0.0, short)), ["0", "0.5", "1"]);
        assert_eq!(labels(&Axis::from_zero(45_000.0, short)), ["0", "20k", "40k", "60k"]);
    }

    #[test]
    fn time_axes_have_ticks_at_full_units() {
        let day = 86_400.0;
        let new_year = 1_767_225_600.0;
        assert_eq!(labels(&Axis::times(new_year..new_year + 7.0 * day, 8))[..3], ["Jan 1", "Jan 2", "Jan 3"]);
        assert_eq!(labels(&Axis::times(new_year - 3_600.0..new_year + 3_600.0, 4)), ["23:00", "23:30", "Jan 1", "00:30", "01:00"]);
        assert_eq!(labels(&Axis::times(new_year..new_year + 3.0, 4)), ["00:00:00", "00:00:01", "00:00:02", "00:00:03"]);
        assert!(labels(&Axis::times(0.0..100.0 * 365.0 * day, 6)).len() <= 7);
    }

    #[test]
    fn extreme_ranges_do_not_panic() {
        for range in [0.0..0.0, f64::MIN..f64::MAX, 1e300..1e301, -5.0..-5.0] {
            Axis::numbers(range.clone(), 4, short).map(&1.0, (0, 100));
        }
        for range in [0.0..0.0, -1e18..1e18] {
            Axis::times(range.clone(), 6).map(&f64::NAN, (0, 100));
        }
    }
}
