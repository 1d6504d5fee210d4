//! Deliveries a second, by what became of them.

use super::axis::{Axis, short};
use super::frame::{Grid, Size, framed};
use super::{ChartError, Svg, ink, lines};
use crate::local::console::series::{Second, WINDOW};

/// Seconds that make one point: single seconds would be all spikes.
pub(crate) const STEP: i64 = 5;

/// The last five minutes before `now`.
pub(crate) fn draw(seconds: &[Second], now: i64, size: Size) -> Result<Svg, ChartError> {
    let curve = |count: fn(&Second) -> u32| points(seconds, now, count);
    let stored = curve(|second| second.stored);
    let others = [
        (curve(|second| second.filtered), ink::FILTERED),
        (curve(|second| second.dead_letters), ink::DEAD_LETTER),
        (curve(|second| second.sent_back), ink::SENT_BACK),
    ];
    let rates = stored.iter().chain(others.iter().flat_map(|(points, _)| points));
    let most = rates.map(|(_, rate)| *rate).fold(0.0, f64::max);
    framed(size, (minutes(), Axis::from_zero(most, short)), Grid::Horizontal, |plane| {
        lines::area(plane, &stored, ink::STORED)?;
        others.iter().try_for_each(|(points, colour)| lines::line(plane, &hills(points), *colour))
    })
}

/// Without the plains: where nothing happened, no line runs along the ground.
fn hills(points: &[(f64, f64)]) -> Vec<(f64, Option<f64>)> {
    let is_up = |at: Option<usize>| at.and_then(|at| points.get(at)).is_some_and(|(_, rate)| *rate > 0.0);
    let kept = |at: usize| is_up(Some(at)) || is_up(at.checked_sub(1)) || is_up(at.checked_add(1));
    points.iter().enumerate().map(|(at, (x, rate))| (*x, kept(at).then_some(*rate))).collect()
}

/// The time axis of both charts: minutes before now.
pub(crate) fn minutes() -> Axis {
    let tick = |minute: i64| (-60.0 * minute as f64, if minute == 0 { "now".to_owned() } else { format!("−{minute} min") });
    Axis::with_ticks(-(WINDOW as f64)..0.0, (0..=WINDOW / 60).rev().map(tick).collect())
}

/// Of each step its end, as seconds before now, and its rate.
fn points(seconds: &[Second], now: i64, count: fn(&Second) -> u32) -> Vec<(f64, f64)> {
    let mut sums = vec![0u32; (WINDOW / STEP) as usize];
    for second in seconds {
        // The running second is not over yet.
        if let Some(sum) = step_of(second.at, now).and_then(|step| sums.get_mut(step)) {
            *sum += count(second);
        }
    }
    let at = |step: usize| (step as i64 * STEP - WINDOW + STEP) as f64;
    sums.iter().enumerate().map(|(step, sum)| (at(step), f64::from(*sum) / STEP as f64)).collect()
}

/// In which step before `now` a second lies, counted from the oldest.
pub(crate) fn step_of(at: i64, now: i64) -> Option<usize> {
    if at >= now { None } else { usize::try_from((at - (now - WINDOW)).div_euclid(STEP)).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_the_mean_of_its_seconds_and_ends_with_the_last_one() {
        let second = |at, stored| Second { at, stored, ..Second::default() };
        let points = points(&[second(995, 5), second(999, 10), second(1000, 99)], 1000, |second| second.stored);
        assert_eq!(points.len(), 60);
        assert_eq!((points[0], points[59]), ((-295.0, 0.0), (0.0, 3.0)));
    }

    #[test]
    fn only_what_happened_is_drawn() {
        let happened = [Second { at: 990, stored: 5, dead_letters: 1, ..Second::default() }];
        let Svg(svg) = draw(&happened, 1000, Size::strip(600)).unwrap();
        assert!(svg.contains("var(--stored)") && svg.contains("var(--dead-letter)"), "{svg}");
        assert!(!svg.contains("var(--filtered)") && !svg.contains("#0"), "{svg}");
    }
}
