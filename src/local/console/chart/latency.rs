//! Chart of the time from request to row: median and 95th percentile.

use super::axis::Axis;
use super::frame::{Grid, Size, draw_chart};
use super::rate::{STEP_SECS, step_of, time_axis};
use super::{ChartError, Svg, lines, palette};
use crate::local::console::series::{Second, WINDOW_SECS, quantile};

/// Draws the five minutes before `now`.
pub(crate) fn draw(seconds: Vec<Second>, now: i64, size: Size) -> Result<Svg, ChartError> {
    let mut samples = vec![Vec::new(); (WINDOW_SECS / STEP_SECS) as usize];
    for second in seconds {
        if let Some(samples) = step_of(second.at, now).and_then(|step| samples.get_mut(step)) {
            samples.extend(second.latencies);
        }
    }
    let mut points = |share: f64| -> Vec<(f64, Option<f64>)> {
        let at = |step: usize| (step as i64 * STEP_SECS - WINDOW_SECS + STEP_SECS) as f64;
        samples.iter_mut().enumerate().map(|(step, samples)| (at(step), quantile(samples, share).map(f64::from))).collect()
    };
    let (median, high) = (points(0.5), points(0.95));
    let most = high.iter().filter_map(|(_, ms)| *ms).fold(0.0, f64::max);
    draw_chart(size, (time_axis(), Axis::from_zero(most, milliseconds)), Grid::Horizontal, |area| {
        lines::line(area, &high, palette::SERIES[1])?;
        lines::line(area, &median, palette::SERIES[0])
    })
}

fn milliseconds(ms: f64) -> String {
    if ms >= 10_000.0 { format!("{} s", super::axis::short(ms / 1000.0)) } else { format!("{} ms", super::axis::short(ms)) }
}
