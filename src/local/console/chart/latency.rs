//! The time from the request for the pixel to its row, median and 95th percentile.

use super::axis::Axis;
use super::frame::{Grid, Size, framed};
use super::rate::{STEP, minutes, step_of};
use super::{ChartError, Svg, ink, lines};
use crate::local::console::series::{Second, WINDOW, quantile};

/// The last five minutes before `now`.
pub(crate) fn draw(seconds: Vec<Second>, now: i64, size: Size) -> Result<Svg, ChartError> {
    let mut samples = vec![Vec::new(); (WINDOW / STEP) as usize];
    for second in seconds {
        if let Some(samples) = step_of(second.at, now).and_then(|step| samples.get_mut(step)) {
            samples.extend(second.latencies);
        }
    }
    let mut points = |share: f64| -> Vec<(f64, Option<f64>)> {
        let at = |step: usize| (step as i64 * STEP - WINDOW + STEP) as f64;
        samples.iter_mut().enumerate().map(|(step, samples)| (at(step), quantile(samples, share).map(f64::from))).collect()
    };
    let (median, high) = (points(0.5), points(0.95));
    let most = high.iter().filter_map(|(_, ms)| *ms).fold(0.0, f64::max);
    framed(size, (minutes(), Axis::from_zero(most, milliseconds)), Grid::Horizontal, |plane| {
        lines::line(plane, &high, ink::SERIES[1])?;
        lines::line(plane, &median, ink::SERIES[0])
    })
}

fn milliseconds(ms: f64) -> String {
    if ms >= 10_000.0 { format!("{} s", super::axis::short(ms / 1000.0)) } else { format!("{} ms", super::axis::short(ms)) }
}
