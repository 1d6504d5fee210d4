//! Size, axes and grid of a chart.

use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::drawing::{DrawingAreaErrorKind, IntoDrawingArea};
use plotters::prelude::Cartesian2d;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoTextStyle, TRANSPARENT};

use super::axis::Axis;
use super::{ChartError, Svg, palette};

/// In CSS pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub width: u32,
    pub height: u32,
}

/// The drawing area between the axes.
pub(crate) type ChartArea<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>;
pub(crate) type DrawingError = DrawingAreaErrorKind<std::io::Error>;

/// `plotters` draws text at 1/1.24 of the requested size.
const TEXT_SIZE: f64 = 11.0 * 1.24;
/// Approximate width of a character; there is no font to measure.
const CHARACTER_WIDTH: f64 = 6.4;

impl Size {
    /// Limits width and height to a usable range.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self { width: width.clamp(240, 2400), height: height.clamp(80, 4000) }
    }

    /// The size of the overview's charts.
    pub(crate) fn overview(width: u32) -> Self {
        Self::new(width, 160)
    }

    /// How many labels of this length fit side by side.
    pub(crate) fn labels(self, characters: usize) -> usize {
        ((f64::from(self.width) / (CHARACTER_WIDTH * (characters as f64 + 2.0))) as usize).clamp(2, 12)
    }
}

/// Direction of the grid lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grid {
    /// At the ticks of the vertical axis.
    Horizontal,
    /// At the ticks of the horizontal axis.
    Vertical,
}

/// Draws axes and grid, then the content by `draw`.
pub(crate) fn draw_chart(
    size: Size,
    (x, y): (Axis, Axis),
    grid: Grid,
    draw: impl FnOnce(&mut ChartArea<'_>) -> Result<(), DrawingError>,
) -> Result<Svg, ChartError> {
    let mut svg = String::new();
    draw_into(&mut svg, size, (x, y), grid, draw).map_err(|error| ChartError::Drawing(error.to_string()))?;
    Ok(Svg(palette::apply_page_colours(svg)))
}

fn draw_into<'a>(
    svg: &'a mut String,
    size: Size,
    (x, y): (Axis, Axis),
    grid: Grid,
    draw: impl FnOnce(&mut ChartArea<'a>) -> Result<(), DrawingError>,
) -> Result<(), DrawingError> {
    let root = SVGBackend::with_string(svg, (size.width, size.height)).into_drawing_area();
    let beside = (y.longest_label() as f64 * CHARACTER_WIDTH) as u32 + 12;
    // A label below the first or the last tick is centered on it.
    let half = ((x.longest_label() as f64 * CHARACTER_WIDTH / 2.0) as u32).min(size.width / 4);
    let mut builder = ChartBuilder::on(&root);
    builder.margin_top(8).margin_right(half.max(16)).x_label_area_size(22).y_label_area_size(beside.max(half).min(size.width / 2));
    let mut area = builder.build_cartesian_2d(x, y)?;
    let text = ("sans-serif", TEXT_SIZE).into_text_style(&root).color(&palette::LABEL);
    let mut mesh = area.configure_mesh();
    if grid == Grid::Horizontal {
        mesh.disable_x_mesh();
    } else {
        mesh.disable_y_mesh();
    }
    mesh.bold_line_style(palette::GRID.stroke_width(1))
        .axis_style(TRANSPARENT)
        .x_label_style(text.clone().pos(Pos::new(HPos::Center, VPos::Top)))
        .y_label_style(text)
        .set_all_tick_mark_size(3)
        .draw()?;
    draw(&mut area)?;
    drop(area);
    root.present()
}
