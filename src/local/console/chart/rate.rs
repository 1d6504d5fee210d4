//! Chart of deliveries per second, by outcome.

use super::axis::{Axis, short};
use super::frame::{Grid, Size, draw_chart};
use super::{ChartError, Svg, lines, palette};
use crate::local::console::series::{Second, WINDOW_SECS};

/// Seconds per point. A point per second would show mostly noise.
pub(crate) const STEP_SECS: i64 = 5;

/// Draws the five minutes before `now`.
pub(crate) fn draw(seconds: &[Second], now: i64, size: Size) -> Result<Svg, ChartError> {
    let curve = |count: fn(&Second) -> u32| points(seconds, now, count);
    let stored = curve(|second| second.stored);
    let others = [
        (curve(|second| second.filtered), palette::FILTERED),
        (curve(|second| second.dead_letters), palette::DEAD_LETTER),
        (curve(|second| second.nacked), palette::NACKED),
    ];
    let rates = stored.iter().chain(others.iter().flat_map(|(points, _)| points));
    let most = rates.map(|(_, rate)| *rate).fold(0.0, f64::max);
    draw_chart(size, (time_axis(), Axis::from_zero(most, short)), Grid::Horizontal, |area| {
        lines::area(area, &stored, palette::STORED)?;
        others.iter().try_for_each(|(points, colour)| lines::line(area, &without_zero_runs(points), *colour))
    })
}

/// Removes points inside a run of zeros, so that no line is drawn along the axis.
fn without_zero_runs(points: &[(f64, f64)]) -> Vec<(f64, Option<f64>)> {
    let is_up = |at: Option<usize>| at.and_then(|at| points.get(at)).is_some_and(|(_, rate)| *rate > 0.0);
    let kept = |at: usize| is_up(Some(at)) || is_up(at.checked_sub(1)) || is_up(at.checked_add(1));
    points.iter().enumerate().map(|(at, (x, rate))| (*x, kept(at).then_some(*rate))).collect()
}

/// The time axis of both charts, in minutes before now.
pub(crate) fn time_axis() -> Axis {
    let tick = |minute: i64| (-60.0 * minute as f64, if minute == 0 { "now".to_owned() } else { format!("−{minute} min") });
    Axis::with_ticks(-(WINDOW_SECS as f64)..0.0, (0..=WINDOW_SECS / 60).rev().map(tick).collect())
}

/// For each step its end, in seconds before now, and its rate.
fn points(seconds: &[Second], now: i64, count: fn(&Second) -> u32) -> Vec<(f64, f64)> {
    let mut sums = vec![0u32; (WINDOW_SECS / STEP_SECS) as usize];
    for second in seconds {
        // The current second is not complete.
        if let Some(sum) = step_of(second.at, now).and_then(|step| sums.get_mut(step)) {
            *sum += count(second);
        }
    }
    let at = |step: usize| (step as i64 * STEP_SECS - WINDOW_SECS + STEP_SECS) as f64;
    sums.iter().enumerate().map(|(step, sum)| (at(step), f64::from(*sum) / STEP_SECS as f64)).collect()
}

/// The step to which a second belongs, counted from the oldest.
pub(crate) fn step_of(at: i64, now: i64) -> Option<usize> {
    if at >= now { None } else { usize::try_from((at - (now - WINDOW_SECS)).div_euclid(STEP_SECS)).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_the_mean_of_its_seconds() {
        let second = |at, stored| Second { at, stored, ..Second::default() };
        let points = points(&[second(995, 5), second(999, 10), second(1000, 99)], 1000, |second| second.stored);
        assert_eq!(points.len(), 60);
        assert_eq!((points[0], points[59]), ((-295.0, 0.0), (0.0, 3.0)));
    }

    #[test]
    fn series_without_deliveries_are_not_drawn() {
        let active = [Second { at: 990, stored: 5, dead_letters: 1, ..Second::default() }];
        let Svg(svg) = draw(&active, 1000, Size::overview(600)).unwrap();
        assert!(svg.contains("var(--stored)") && svg.contains("var(--dead-letter)"), "{svg}");
        assert!(!svg.contains("var(--filtered)") && !svg.contains("#0"), "{svg}");
    }
}
