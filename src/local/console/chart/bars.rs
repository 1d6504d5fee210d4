//! Horizontal bars, one group per category, so that long names fit.

use plotters::element::Rectangle;
use plotters::style::Color;

use super::axis::{Axis, short};
use super::frame::{Grid, Size, draw_chart};
use super::{ChartError, Svg, palette};

/// Longer names are shortened.
const MAX_LABEL_CHARS: usize = 24;
const ROW_HEIGHT: u32 = 24;

/// `series` contains a value or none for each category.
pub(crate) fn draw(width: u32, categories: &[String], series: &[Vec<Option<f64>>]) -> Result<Svg, ChartError> {
    let values = || series.iter().flatten().flatten().copied();
    let (least, most) = values().fold((0.0, 0.0), |(least, most): (f64, f64), value| (least.min(value), most.max(value)));
    let size = Size::new(width, ROW_HEIGHT * (categories.len() * series.len().max(1)).min(150) as u32 + 40);
    let x = if least < 0.0 { Axis::numbers(least..most, 4, short) } else { Axis::from_zero(most, short) };
    let count = categories.len() as f64;
    // The first category is on top.
    let middle = |index: usize| count - index as f64 - 0.5;
    let ticks = categories.iter().enumerate().map(|(index, name)| (middle(index), shortened(name))).collect();
    let y = Axis::with_ticks(0.0..count, ticks);
    let thickness = 0.7 / series.len() as f64;
    draw_chart(size, (x, y), Grid::Vertical, |area| {
        for (nth, values) in series.iter().enumerate() {
            let colour = palette::SERIES[nth % palette::SERIES.len()];
            let bar = |(index, value): (usize, &Option<f64>)| {
                let top = middle(index) + 0.35 - thickness * nth as f64;
                Some(Rectangle::new([(0.0, top), ((*value)?, top - thickness)], colour.filled()))
            };
            area.draw_series(values.iter().enumerate().filter_map(bar))?;
        }
        Ok(())
    })
}

/// Replaces characters that XML does not allow, and limits the length.
fn shortened(name: &str) -> String {
    let mut shown: String =
        name.chars().map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c }).take(MAX_LABEL_CHARS).collect();
    if name.chars().count() > MAX_LABEL_CHARS {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_shortened() {
        let names = ["<script>alert(1)</script>".to_owned(), "a\u{0}\u{1b}\u{fffe}\"'&".to_owned()];
        let Svg(svg) = draw(400, &names, &[vec![Some(1.0), None]]).unwrap();
        assert!(svg.contains("&lt;script&gt;alert(1)&lt;/script…"), "{svg}");
        assert!(!svg.contains(['\0', '\u{1b}', '\u{fffe}']) && svg.contains("&quot;&apos;&amp;"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 1, "a bar for the one value: {svg}");
    }
}
