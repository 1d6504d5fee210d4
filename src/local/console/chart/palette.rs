//! Colours that the page decides.
//!
//! `plotters` knows colours by number only. Here each use has a number of its own, an all but black
//! one, and once the chart is drawn each number gives way to a custom property of the page's style
//! sheet. So one drawing suits light and dark, and follows a change at once.

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

const NAMES: [(RGBColor, &str); 12] = [
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
    (DEAD_LETTER, "--dead-request"),
    (NACKED, "--nacked"),
];

/// Puts the page's colours in. Only whole attribute values are replaced, and no text can hold one:
/// `"` is written `&quot;` there.
pub(crate) fn apply_page_colours(mut svg: String) -> String {
    for (RGBColor(red, green, blue), name) in NAMES {
        svg = svg.replace(&format!("\"#{red:02X}{green:02X}{blue:02X}\""), &format!("\"var({name})\""));
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_properties_and_text_stays() {
        let drawn = r##"<line stroke="#000001"/><text fill="#000002">"#000001" is &quot;#000001&quot;</text>"##;
        let drawn = drawn.replace("\"#000001\" is ", "");
        assert_eq!(apply_page_colours(drawn), r##"<line stroke="var(--chart-grid)"/><text fill="var(--chart-label)">&quot;#000001&quot;</text>"##);
    }

    #[test]
    fn no_colour_stands_for_two_things() {
        for (index, (colour, _)) in NAMES.iter().enumerate() {
            assert!(NAMES[index + 1..].iter().all(|(other, _)| other != colour));
        }
    }
}
