//! Line charts as SVG.

use std::ops::Range;

use plotters::prelude::*;

use super::retries::Retries;

/// A line chart.
#[derive(Clone, Debug)]
pub struct Plot {
    pub(super) title: String,
    /// The labels of the axes, with units.
    pub(super) axes: (&'static str, &'static str),
    pub(super) x_axis: Axis,
    pub(super) x: Range<f64>,
    pub(super) y: Range<f64>,
    pub(super) lines: Vec<Line>,
}

/// The numbers of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Linear,
    /// 0 stands for 1, 1 for 10, 2 for 100, and so on.
    PowersOfTen,
}

/// A named line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) pen: Pen,
    pub(super) points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pen {
    pub(super) color: RGBColor,
    pub(super) width: u32,
    pub(super) is_dashed: bool,
}

/// The colours of Okabe and Ito, which are distinguishable with colour blindness.
const ORANGE: Pen = Pen::new(230, 159, 0);
const SKY: Pen = Pen::new(86, 180, 233);
const GREEN: Pen = Pen::new(0, 158, 115);
const VERMILION: Pen = Pen::new(213, 94, 0);
const PURPLE: Pen = Pen::new(204, 121, 167);
const BLUE: Pen = Pen::new(0, 114, 178);
/// A wide line for the baseline, because other lines often cover it.
const GREY: Pen = Pen { width: 7, ..Pen::new(200, 200, 200) };

impl Pen {
    const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { color: RGBColor(red, green, blue), width: 2, is_dashed: false }
    }

    /// Returns the n-th pen, for lines without a fixed colour.
    pub(super) const fn number(n: usize) -> Self {
        [VERMILION, ORANGE, SKY, PURPLE, GREEN, BLUE][n % 6]
    }

    /// Returns the pen of a way to retry, which is the same in every plot.
    pub(super) const fn of(retries: Retries) -> Self {
        match retries {
            Retries::None => GREY,
            Retries::Naive => VERMILION,
            Retries::Ratio(..=10) => SKY,
            Retries::Ratio(_) => ORANGE,
            Retries::Budget => GREEN,
            Retries::Throttle => PURPLE,
            Retries::Capacity(_) | Retries::Gateway | Retries::Leased(_) => BLUE,
        }
    }

    /// Returns a dashed pen, for a line that others cover in part.
    pub(super) const fn dashed(self) -> Self {
        Self { width: 3, is_dashed: true, ..self }
    }

    pub(super) fn css(self) -> String {
        let RGBColor(red, green, blue) = self.color;
        format!("rgb({red},{green},{blue})")
    }
}

const SIZE: (u32, u32) = (560, 330);
const FONT: &str = "sans-serif";

/// The legend: the number of columns, the height of a row, and the left margin.
const COLUMNS: usize = 2;
const ROW: u32 = 24;
const MARGIN: u32 = 76;

impl Plot {
    /// Returns an `<svg>` element.
    pub(super) fn svg(&self) -> String {
        let mut svg = String::new();
        self.draw(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area())
            .expect("writing to a string cannot fail");
        svg
    }

    /// Returns a self-contained `<svg>` element: with a white background, a legend, and only as many points as are distinguishable.
    pub(super) fn svg_with_legend(&self) -> String {
        let height = SIZE.1 + ROW * self.lines.len().div_ceil(COLUMNS) as u32;
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, (SIZE.0, height)).into_drawing_area();
            area.fill(&WHITE).expect("writing to a string cannot fail");
            let (plot, legend) = area.split_vertically(SIZE.1);
            self.thinned().draw(&plot).expect("writing to a string cannot fail");
            self.draw_legend(&legend).expect("writing to a string cannot fail");
        }
        svg
    }

    fn thinned(&self) -> Self {
        const MAX_POINTS: usize = 240;
        let mut plot = self.clone();
        for line in &mut plot.lines {
            line.points.retain(|(x, _)| (self.x.start..=self.x.end).contains(x));
            let step = line.points.len().div_ceil(MAX_POINTS).max(1);
            line.points = line.points.iter().copied().step_by(step).collect();
        }
        plot
    }

    /// Draws the legend in columns, each name behind a piece of its line.
    fn draw_legend<B: DrawingBackend>(&self, area: &DrawingArea<B, plotters::coord::Shift>) -> Outcome<B> {
        let width = (SIZE.0 - MARGIN) / COLUMNS as u32;
        for (index, line) in (0..).zip(&self.lines) {
            let (column, row) = (index % COLUMNS as u32, index / COLUMNS as u32);
            let (x, y) = ((MARGIN + column * width) as i32, (row * ROW) as i32);
            let style = ShapeStyle::from(&line.pen.color).stroke_width(line.pen.width + 1);
            let pieces = if line.pen.is_dashed { vec![(0, 8), (14, 22)] } else { vec![(0, 28)] };
            for (from, to) in pieces {
                area.draw(&PathElement::new([(x + from, y + 8), (x + to, y + 8)], style))?;
            }
            area.draw(&Text::new(line.name.clone(), (x + 36, y), (FONT, 15)))?;
        }
        Ok(())
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, plotters::coord::Shift>) -> Outcome<B> {
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, (FONT, 19))
            .margin(12)
            .margin_right(28)
            .x_label_area_size(48)
            .y_label_area_size(64)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        chart
            .configure_mesh()
            .x_desc(self.axes.0)
            .y_desc(self.axes.1)
            .x_labels(if self.x_axis == Axis::Linear { 7 } else { 5 })
            .y_labels(6)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.1))
            .axis_desc_style((FONT, 16))
            .label_style((FONT, 15))
            .x_label_formatter(&|x| self.x_axis.label(*x))
            .y_label_formatter(&|y| label(*y))
            .draw()?;
        for line in &self.lines {
            let style = ShapeStyle::from(&line.pen.color).stroke_width(line.pen.width);
            // Points beyond the axis would be drawn at its end.
            let points = line.points.iter().copied().filter(|(x, _)| (self.x.start..=self.x.end).contains(x));
            if line.pen.is_dashed {
                chart.draw_series(DashedLineSeries::new(points, 8, 8, style))?;
            } else {
                chart.draw_series(LineSeries::new(points, style))?;
            }
        }
        Ok(())
    }
}

type Outcome<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

impl Axis {
    fn label(self, x: f64) -> String {
        match self {
            Self::Linear => label(x),
            Self::PowersOfTen if x.fract() == 0.0 => label(10_f64.powf(x)),
            Self::PowersOfTen => String::new(),
        }
    }
}

/// Formats a number with at most two decimals.
fn label(number: f64) -> String {
    format!("{}", (number * 100.0).round() / 100.0)
}
