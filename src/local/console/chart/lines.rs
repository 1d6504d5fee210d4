//! Lines through points, with gaps at missing values.

use plotters::element::Circle;
use plotters::series::{AreaSeries, LineSeries};
use plotters::style::{Color, RGBColor};

use super::frame::{ChartArea, DrawingError};

/// Up to this many points, each has a dot.
const MAX_DOTS: usize = 40;

/// Draws a line that is interrupted at each `None`.
pub(crate) fn line(area: &mut ChartArea<'_>, points: &[(f64, Option<f64>)], colour: RGBColor) -> Result<(), DrawingError> {
    for run in runs(points) {
        if run.len() > 1 {
            area.draw_series(LineSeries::new(run.iter().copied(), colour.stroke_width(2)))?;
        }
        if points.len() <= MAX_DOTS || run.len() == 1 {
            area.draw_series(run.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
        }
    }
    Ok(())
}

/// Draws a line and fills the area below it.
pub(crate) fn area(area: &mut ChartArea<'_>, points: &[(f64, f64)], colour: RGBColor) -> Result<(), DrawingError> {
    area.draw_series(AreaSeries::new(points.iter().copied(), 0.0, colour.mix(0.18)).border_style(colour.stroke_width(2)))?;
    Ok(())
}

fn runs(points: &[(f64, Option<f64>)]) -> impl Iterator<Item = Vec<(f64, f64)>> {
    let runs = points.split(|(_, y)| y.is_none()).filter(|run| !run.is_empty());
    runs.map(|run| run.iter().filter_map(|(x, y)| Some((*x, (*y)?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_split_the_line() {
        let points = [(1.0, None), (2.0, Some(5.0)), (3.0, Some(6.0)), (4.0, None), (5.0, None), (6.0, Some(7.0))];
        assert_eq!(runs(&points).collect::<Vec<_>>(), [vec![(2.0, 5.0), (3.0, 6.0)], vec![(6.0, 7.0)]]);
    }
}
