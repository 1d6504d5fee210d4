//! Chart of columns of a query result, as sent by the page.

use serde::Deserialize;

use super::axis::{Axis, short};
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
    Number(Vec<f64>),
    Category(Vec<String>),
}

/// Draws lines over times and numbers, and bars for categories.
pub(crate) fn draw(chart: Chart) -> Result<Svg, ChartError> {
    let Chart { width, x, gaps, series } = chart;
    let positions = match &x {
        XAxis::Time(values) | XAxis::Number(values) => values.len(),
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
        XAxis::Time(times) => curves(size, &times, &series, gaps, Axis::times(extent(&times), size.labels(8))),
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
    fn extreme_values_are_drawn() {
        for values in [json!([1e308, -1e308]), json!([0, 0]), json!([null, null]), json!([1e-300, 1])] {
            let chart = json!({"width": 1, "x": {"kind": "number", "values": [5, 5]}, "gaps": true, "series": [values]});
            assert!(drawn(chart).is_ok());
        }
    }
}
