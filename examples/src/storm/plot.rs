//! Lines over two axes, as SVG.

use std::ops::Range;

use plotters::prelude::*;

use super::retries::Retries;

/// Lines over two axes.
#[derive(Clone, Debug)]
pub struct Plot {
    pub(super) title: String,
    /// What is on the axes, with its unit.
    pub(super) axes: (&'static str, &'static str),
    pub(super) x: Range<f64>,
    pub(super) y: Range<f64>,
    pub(super) lines: Vec<Line>,
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
}

/// The colours of Okabe and Ito, which the colour-blind can tell apart.
const ORANGE: Pen = Pen::new(230, 159, 0);
const SKY: Pen = Pen::new(86, 180, 233);
const GREEN: Pen = Pen::new(0, 158, 115);
const VERMILION: Pen = Pen::new(213, 94, 0);
const PURPLE: Pen = Pen::new(204, 121, 167);
const BLUE: Pen = Pen::new(0, 114, 178);
/// Wide, as what others are compared with and often lie upon.
const GREY: Pen = Pen { width: 7, ..Pen::new(200, 200, 200) };

impl Pen {
    const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { color: RGBColor(red, green, blue), width: 2 }
    }

    /// The n-th, where lines have no colour of their own.
    pub(super) const fn number(n: usize) -> Self {
        [VERMILION, ORANGE, SKY, PURPLE, GREEN, BLUE][n % 6]
    }

    /// The same in every plot.
    pub(super) const fn of(retries: Retries) -> Self {
        match retries {
            Retries::None => GREY,
            Retries::Naive => VERMILION,
            Retries::Ratio(..=10) => SKY,
            Retries::Ratio(_) => ORANGE,
            Retries::Budget => GREEN,
            Retries::Capacity(_) => BLUE,
        }
    }

    pub(super) fn css(self) -> String {
        let RGBColor(red, green, blue) = self.color;
        format!("rgb({red},{green},{blue})")
    }
}

const SIZE: (u32, u32) = (560, 330);
const FONT: &str = "sans-serif";

impl Plot {
    /// An `<svg>` element.
    pub(super) fn svg(&self) -> String {
        let mut svg = String::new();
        self.draw(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area()).expect("a string takes everything");
        svg
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, plotters::coord::Shift>) -> Outcome<B> {
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, (FONT, 19))
            .margin(12)
            .x_label_area_size(48)
            .y_label_area_size(64)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        chart
            .configure_mesh()
            .x_desc(self.axes.0)
            .y_desc(self.axes.1)
            .x_labels(7)
            .y_labels(6)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.1))
            .axis_desc_style((FONT, 16))
            .label_style((FONT, 15))
            .x_label_formatter(&|x| label(*x))
            .y_label_formatter(&|y| label(*y))
            .draw()?;
        for line in &self.lines {
            let style = ShapeStyle::from(&line.pen.color).stroke_width(line.pen.width);
            // What lies beyond the axis would be drawn at its end.
            let points = line.points.iter().copied().filter(|(x, _)| (self.x.start..=self.x.end).contains(x));
            chart.draw_series(LineSeries::new(points, style))?;
        }
        area.present()
    }
}

type Outcome<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// As few digits as tell the number.
fn label(number: f64) -> String {
    format!("{}", (number * 100.0).round() / 100.0)
}
