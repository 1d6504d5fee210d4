//! Chart of columns of a query result, as sent by the page.

use serde::Deserialize;

use super::axis::{Axis, full_time, short};
use super::frame::{Grid, Size, draw_chart};
use super::{ChartError, Svg, bars, lines, palette};

const MAX_POINTS: usize = 5_000;
/// More bars are not readable.
const MAX_BARS: usize = 50;

/// The chart to draw.
#[derive(Debug, Deserialize)]
pub(crate) struct Chart {
    width: u32,
    x: XAxis,
    /// Whether a missing value interrupts a line. Set to false when rows are split into series, because then each row has a
    /// value in one series only.
    gaps: bool,
    /// One list per series: a value or null for each position on the x axis.
    series: Vec<Vec<Option<f64>>>,
}

/// The x axis. Categories are drawn on the vertical axis.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", content = "values", rename_all = "snake_case")]
enum XAxis {
    /// Unix time in seconds.
    Time(Vec<f64>),
    /// Unix time of the begin of the day, in seconds.
    Date(Vec<f64>),
    Number(Vec<f64>),
    Category(Vec<String>),
}

/// Draws lines over times and numbers, and bars for categories. A line through one position would be a dot, so a single
/// position has bars as well.
pub(crate) fn draw(chart: Chart) -> Result<Svg, ChartError> {
    let Chart { width, x, gaps, series } = chart;
    let positions = match &x {
        XAxis::Time(values) | XAxis::Date(values) | XAxis::Number(values) => values.len(),
        XAxis::Category(names) => names.len(),
    };
    let max = if matches!(x, XAxis::Category(_)) { MAX_BARS } else { MAX_POINTS };
    if positions == 0 || series.is_empty() {
        return Err(ChartError::Rejected("the chart has no data"));
    }
    if positions > max || series.len() > palette::SERIES.len() {
        return Err(ChartError::Rejected("a chart has at most 50 bars or 5000 points, and six series"));
    }
    if series.iter().any(|values| values.len() != positions) {
        return Err(ChartError::Rejected("each series needs a value or null for each position on the x axis"));
    }
    let size = Size::new(width, 320);
    match x {
        XAxis::Category(names) => bars::draw(width, &names, &series),
        XAxis::Time(times) | XAxis::Date(times) if times.len() == 1 => bars::draw(width, &[full_time(times[0])], &series),
        XAxis::Number(numbers) if numbers.len() == 1 => bars::draw(width, &[short(numbers[0])], &series),
        XAxis::Time(times) => curves(size, &times, &series, gaps, Axis::times(extent(&times), size.labels(10), 1)),
        XAxis::Date(dates) => curves(size, &dates, &series, gaps, Axis::dates(extent(&dates), size.labels(10))),
        XAxis::Number(numbers) => curves(size, &numbers, &series, gaps, Axis::numbers(extent(&numbers), size.labels(6), short)),
    }
}

fn curves(size: Size, xs: &[f64], series: &[Vec<Option<f64>>], gaps: bool, x: Axis) -> Result<Svg, ChartError> {
    let ys = extent(&series.iter().flatten().flatten().copied().collect::<Vec<_>>());
    let y = if ys.start >= 0.0 { Axis::from_zero(ys.end, short) } else { Axis::numbers(ys, 4, short) };
    draw_chart(size, (x, y), Grid::Horizontal, |area| {
        for (nth, values) in series.iter().enumerate() {
            let mut points: Vec<_> = xs.iter().copied().zip(values.iter().copied()).collect();
            points.retain(|(_, value)| gaps || value.is_some());
            points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            lines::line(area, &points, palette::SERIES[nth])?;
        }
        Ok(())
    })
}

fn extent(values: &[f64]) -> std::ops::Range<f64> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if least.is_finite() && most.is_finite() { least..most } else { 0.0..1.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn drawn(chart: serde_json::Value) -> Result<String, String> {
        draw(serde_json::from_value(chart).unwrap()).map(|Svg(svg)| svg).map_err(|error| error.to_string())
    }

    #[test]
    fn times_and_numbers_make_lines_categories_make_bars() {
        let series = json!([[1.0, null, 3.0]]);
        for x in [json!({"kind": "time", "values": [0.0, 86400.0, 172800.0]}), json!({"kind": "number", "values": [1, 2, 3]})] {
            let svg = drawn(json!({"width": 600, "x": x, "gaps": true, "series": series})).unwrap();
            assert_eq!((svg.matches("<circle").count(), svg.matches("<polyline").count()), (2, 0), "{svg}");
        }
        let svg =
            drawn(json!({"width": 600, "x": {"kind": "category", "values": ["a", "b", "c"]}, "gaps": true, "series": series})).unwrap();
        assert_eq!(svg.matches("<rect").count(), 2, "{svg}");
    }

    #[test]
    fn missing_values_split_a_line_only_with_gaps() {
        let lines = |gaps: bool| {
            let chart =
                json!({"width": 600, "x": {"kind": "number", "values": [1, 2, 3, 4, 5]}, "gaps": gaps, "series": [[1, 2, null, 3, 4]]});
            drawn(chart).unwrap().matches("<polyline").count()
        };
        assert_eq!((lines(true), lines(false)), (2, 1));
    }

    #[test]
    fn invalid_charts_are_rejected() {
        for (x, series) in [
            (json!([]), json!([[]])),
            (json!(["a"]), json!([])),
            (json!(["a"]), json!([[1, 2]])),
            (json!(vec!["a"; 51]), json!([vec![1; 51]])),
            (json!(["a"]), json!(vec![[1]; 7])),
        ] {
            assert!(
                drawn(json!({"width": 600, "x": {"kind": "category", "values": x}, "gaps": true, "series": series})).is_err(),
                "{x} {series}"
            );
        }
    }

    #[test]
    fn a_single_position_has_bars() {
        for (kind, label) in [("date", "2026-01-02"), ("time", "2026-01-02")] {
            let chart = json!({"width": 600, "x": {"kind": kind, "values": [1_767_312_000]}, "gaps": true, "series": [[4], [2]]});
            let svg = drawn(chart).unwrap();
            assert_eq!((svg.matches("<rect").count(), svg.matches("<circle").count()), (2, 0), "{svg}");
            assert!(svg.contains(label), "{svg}");
        }
    }

    #[test]
    fn labels_of_the_time_axis_are_inside_the_chart() {
        let (start, day) = (1_735_776_000, 86_400);
        for days in [2, 8, 35, 366, 800, 3_000] {
            for kind in ["date", "time"] {
                let x = json!({"kind": kind, "values": [start, start + days * day]});
                let svg = drawn(json!({"width": 600, "x": x, "gaps": true, "series": [[1, 2]]})).unwrap();
                for text in svg.split("<text ").skip(1).filter(|text| text.contains("middle") && text.contains('-')) {
                    let at: f64 = text.split('"').nth(1).unwrap().parse().unwrap();
                    let label = text.split('>').nth(1).unwrap().split('<').next().unwrap().trim();
                    let half = label.chars().count() as f64 * 3.0;
                    assert!(at >= half && at + half <= 600.0, "{label} at {at} of {svg}");
                }
            }
        }
    }

    #[test]
    fn extreme_values_are_drawn() {
        for values in [json!([1e308, -1e308]), json!([0, 0]), json!([null, null]), json!([1e-300, 1]), json!([1e300, 1e301])] {
            for (kind, xs) in [("number", json!([5, 5])), ("number", json!([1e300, 1.5e308])), ("time", json!([-1e300, 1e300]))] {
                let chart = json!({"width": 1, "x": {"kind": kind, "values": xs}, "gaps": true, "series": [values]});
                assert!(drawn(chart).is_ok());
            }
        }
    }

    /// Numbers of all sizes: ordinary ones, equal ones, subnormal ones, the largest, and Unix times of all years.
    fn any_number() -> impl Strategy<Value = f64> {
        prop_oneof![
            -1e3..1e3,
            Just(0.0),
            Just(7.0),
            prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
            (prop::bool::ANY, 290..309).prop_map(|(negative, power)| if negative { -10f64.powi(power) } else { 10f64.powi(power) }),
            (-62_135_596_800i64..253_402_300_800).prop_map(|at| at as f64),
            (-719_162i64..2_932_897).prop_map(|day| (day * 86_400) as f64),
        ]
    }

    fn any_chart() -> impl Strategy<Value = Chart> {
        (prop_oneof![Just(1usize), Just(2), 1..20usize, 1..80usize], 1..7usize, 0..4u8, any::<u32>(), any::<bool>()).prop_flat_map(
            |(positions, count, kind, width, gaps)| {
                let xs = prop::collection::vec(any_number(), positions);
                let series = prop::collection::vec(prop::collection::vec(prop::option::of(any_number()), positions), count);
                (xs, series).prop_map(move |(xs, series)| {
                    let x = match kind {
                        0 => XAxis::Time(xs),
                        1 => XAxis::Date(xs),
                        2 => XAxis::Number(xs),
                        _ => XAxis::Category(xs.iter().map(f64::to_string).collect()),
                    };
                    Chart { width, x, gaps, series }
                })
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_500))]

        #[test]
        fn every_chart_is_drawn_or_rejected(chart in any_chart()) {
            match draw(chart) {
                Ok(Svg(svg)) => prop_assert!(svg.starts_with("<svg") && svg.len() < 2_000_000 && !svg.contains("NaN")),
                Err(error) => prop_assert!(matches!(error, ChartError::Rejected(_)), "{error}"),
            }
        }
    }
}
