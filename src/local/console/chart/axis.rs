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
const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;

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

    /// An axis of times in UTC, with at most `most` ticks that are at least `least_step` seconds apart.
    pub(crate) fn times(range: Range<f64>, most: usize, least_step: i64) -> Self {
        let range = widened(range);
        let most = most.max(1) as f64;
        let length = range.end - range.start;
        let fits = |step: &i64| *step >= least_step && length / *step as f64 <= most;
        let weeks = || ((length / most / WEEK as f64).ceil() as i64).max(1).saturating_mul(WEEK);
        let step = STEPS.into_iter().find(fits).unwrap_or_else(weeks);
        let first = (range.start / step as f64).ceil() as i64;
        let last = (range.end / step as f64).floor() as i64;
        let ticks = (first..=last).take(MAX_TICKS).map(|tick| tick.saturating_mul(step));
        let ticks = ticks.map(|at| (at as f64, time_label(at, step))).collect();
        Self { range, ticks }
    }

    /// An axis of dates in UTC, with at most `most` ticks.
    pub(crate) fn dates(range: Range<f64>, most: usize) -> Self {
        Self::times(range, most, DAY)
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
        // A value outside of the range is drawn at its border: `plotters` adds to pixels without a check. The cast turns NaN
        // into 0.
        (f64::from(from) + share.clamp(0.0, 1.0) * f64::from(to - from)).round() as i32
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

/// Limits a range whose length would be infinite, and gives a length to a range that is empty or too short for its numbers.
fn widened(Range { start, end }: Range<f64>) -> Range<f64> {
    const LIMIT: f64 = f64::MAX / 2.0;
    /// Fewer digits than an f64 has, so that ticks within the range differ.
    const MIN_RELATIVE_LENGTH: f64 = 1e-12;
    let (start, end) = (start.clamp(-LIMIT, LIMIT), end.clamp(-LIMIT, LIMIT));
    let size = start.abs().max(end.abs());
    if end - start > (size * MIN_RELATIVE_LENGTH).max(f64::MIN_POSITIVE) {
        return start..end;
    }
    // Half a unit is lost in the digits of a large number.
    let half = if size * MIN_RELATIVE_LENGTH < 0.5 { 0.5 } else { size * 1e-3 };
    (start - half).max(-LIMIT)..(start + half).min(LIMIT)
}

/// The smallest of …, 0.5, 1, 2, 5, 10, 20, … that is not smaller than `least`.
fn round_step(least: f64) -> f64 {
    if !least.is_finite() || least <= 0.0 {
        return 1.0;
    }
    // The power of a smaller number would be 0.
    let least = least.max(f64::MIN_POSITIVE);
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|factor| factor * power).find(|step| *step >= least * 0.999_999).unwrap_or(10.0 * power)
}

/// The label of a tick; empty for a time that has no date.
fn time_label(at: i64, step: i64) -> String {
    let shape = match step {
        ..60 => "%H:%M:%S",
        60..DAY if at % DAY != 0 => "%H:%M",
        60..2_419_200 => "%b %-d",
        _ => "%Y-%m-%d",
    };
    formatted(at, shape)
}

/// A time or date as the label of a bar.
pub(crate) fn full_time(at: f64) -> String {
    let at = at as i64;
    formatted(at, if at % DAY == 0 { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M:%S" })
}

fn formatted(at: i64, shape: &str) -> String {
    match Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_secs(at)) {
        Ok(time) => Offset::UTC.to_datetime(time).strftime(shape).to_string(),
        Err(_) => String::new(),
    }
}

/// Formats `1234567` as `1.23M`.
pub(crate) fn short(value: f64) -> String {
    let (value, unit) = match value.abs() {
        // Longer than the axis is wide.
        size if size >= 1e15 || (size > 0.0 && size < 1e-2) => return format!("{value:.2e}"),
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
        assert_eq!(labels(&Axis::times(new_year..new_year + 7.0 * day, 8, 1))[..3], ["Jan 1", "Jan 2", "Jan 3"]);
        assert_eq!(labels(&Axis::times(new_year - 3_600.0..new_year + 3_600.0, 4, 1)), ["23:00", "23:30", "Jan 1", "00:30", "01:00"]);
        assert_eq!(labels(&Axis::times(new_year..new_year + 3.0, 4, 1)), ["00:00:00", "00:00:01", "00:00:02", "00:00:03"]);
        assert!(labels(&Axis::times(0.0..100.0 * 365.0 * day, 6, 1)).len() <= 7);
    }

    #[test]
    fn date_axes_have_no_times_of_day() {
        let (day, new_year) = (86_400.0, 1_767_225_600.0);
        assert_eq!(labels(&Axis::dates(new_year..new_year + 2.0 * day, 8)), ["Jan 1", "Jan 2", "Jan 3"]);
        assert_eq!(labels(&Axis::dates(new_year..new_year, 8)), ["Jan 1"]);
        let all = Axis::dates(-62_135_596_800.0..253_402_214_400.0, 6);
        assert!(labels(&all).iter().all(|label| label.len() == 10) && labels(&all).len() >= 3, "{:?}", labels(&all));
    }

    #[test]
    fn extreme_ranges_map_into_the_drawing() {
        for range in [0.0..0.0, f64::MIN..f64::MAX, 1e300..1e301, -5.0..-5.0, 0.0..5e-324, 1e308..1e308, f64::MAX..f64::MAX] {
            for value in [1.0, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY] {
                for axis in [Axis::numbers(range.clone(), 4, short), Axis::times(range.clone(), 6, 1), Axis::dates(range.clone(), 6)] {
                    assert!((0..=100).contains(&axis.map(&value, (0, 100))), "{range:?} {value}");
                    assert!(axis.range.start < axis.range.end && (axis.range.end - axis.range.start).is_finite(), "{range:?}");
                }
            }
        }
    }
}
