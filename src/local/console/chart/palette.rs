//! Colours of the charts, taken from the page's style sheet.
//!
//! `plotters` supports RGB colours only. Charts are drawn with a placeholder colour for each use. Then each placeholder is
//! replaced by a custom property of the style sheet, so that a chart follows the light or dark theme.

use plotters::style::RGBColor;

/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(0, 0, 1);
/// Text at the axes.
pub(crate) const LABEL: RGBColor = RGBColor(0, 0, 2);
/// Series by position.
pub(crate) const SERIES: [RGBColor; 6] =
    [RGBColor(0, 1, 0), RGBColor(0, 1, 1), RGBColor(0, 1, 2), RGBColor(0, 1, 3), RGBColor(0, 1, 4), RGBColor(0, 1, 5)];
/// Outcomes.
pub(crate) const STORED: RGBColor = RGBColor(0, 2, 0);
pub(crate) const FILTERED: RGBColor = RGBColor(0, 2, 1);
pub(crate) const DEAD_LETTER: RGBColor = RGBColor(0, 2, 2);
pub(crate) const NACKED: RGBColor = RGBColor(0, 2, 3);

const PROPERTIES: [(RGBColor, &str); 12] = [
    (GRID, "--chart-grid"),
    (LABEL, "--chart-label"),
    (SERIES[0], "--series-1"),
    (SERIES[1], "--series-2"),
    (SERIES[2], "--series-3"),
    (SERIES[3], "--series-4"),
    (SERIES[4], "--series-5"),
    (SERIES[5], "--series-6"),
    (STORED, "--stored"),
    (FILTERED, "--filtered"),
    (DEAD_LETTER, "--dead-letter"),
    (NACKED, "--nacked"),
];

/// Replaces the placeholders by custom properties. Only complete attribute values are replaced. Text cannot contain one,
/// because `"` is written as `&quot;` in text.
pub(crate) fn apply_page_colours(mut svg: String) -> String {
    for (RGBColor(red, green, blue), name) in PROPERTIES {
        svg = svg.replace(&format!("\"#{red:02X}{green:02X}{blue:02X}\""), &format!("\"var({name})\""));
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_in_attributes_only() {
        let drawn = r##"<line stroke="#000001"/><text fill="#000002">"#000001" is &quot;#000001&quot;</text>"##;
        let drawn = drawn.replace("\"#000001\" is ", "");
        assert_eq!(
            apply_page_colours(drawn),
            r##"<line stroke="var(--chart-grid)"/><text fill="var(--chart-label)">&quot;#000001&quot;</text>"##
        );
    }

    #[test]
    fn every_placeholder_is_unique() {
        for (index, (colour, _)) in PROPERTIES.iter().enumerate() {
            assert!(PROPERTIES[index + 1..].iter().all(|(other, _)| other != colour));
        }
    }
}
