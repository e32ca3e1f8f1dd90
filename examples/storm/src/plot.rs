//! Line charts as SVG.

use std::ops::Range;

use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::drawing::WIDTH;
use super::labels::{Label, labels, spread};
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

/// The colors of Okabe and Ito, which are distinguishable with color blindness.
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

    /// Returns the n-th pen, for lines without a fixed color.
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
}

/// The size of the drawing. Pages show it larger on a wide screen, and smaller on a narrow one.
const SIZE: (u32, u32) = (500, 330);
const FONT: &str = "sans-serif";

/// The height of the title and of the name of the vertical axis.
const HEAD: i32 = 54;
/// The width of the labels at the right, and the height of their rows.
const LABELS: u32 = 156;
const ROW: i32 = 18;

/// Colors of pages and images. They replace the black and the grey that the plots are drawn with.
pub(super) const STYLE: &str = "\
svg{background:#fff}text{fill:#222}\
@media(prefers-color-scheme:dark){\
svg{background:#1c1c1e}text{fill:#ddd}[stroke='#000000']{stroke:#bbb}[stroke='#C8C8C8']{stroke:#5c5c5c}\
}";

impl Plot {
    /// Returns an `<svg>` element, which needs the rules of [`STYLE`].
    pub(super) fn svg(&self) -> String {
        let mut svg = String::new();
        self.draw(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area())
            .expect("writing to a string cannot fail");
        svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{}\" ", self.title), 1)
    }

    /// Returns a self-contained `<svg>` element, with only as many points as are distinguishable. It is as wide as an image of the
    /// guide.
    pub(super) fn image(&self) -> String {
        let (width, height) = SIZE;
        let size = format!("width=\"{}\" height=\"{}\"", WIDTH, height * WIDTH / width);
        let svg = self.thinned().svg().replacen(&format!("width=\"{width}\" height=\"{height}\""), &size, 1);
        svg.replacen('>', &format!("><style>{STYLE}</style>"), 1)
    }

    fn thinned(&self) -> Self {
        const MAX_POINTS: usize = 180;
        let mut plot = self.clone();
        for line in &mut plot.lines {
            line.points.retain(|(x, _)| (self.x.start..=self.x.end).contains(x));
            let step = line.points.len().div_ceil(MAX_POINTS).max(1);
            line.points = line.points.iter().copied().step_by(step).collect();
        }
        plot
    }

    fn draw<B: DrawingBackend>(&self, area: &Area<B>) -> Outcome<B> {
        let mut chart = ChartBuilder::on(area)
            .margin_top(HEAD)
            .margin_right(LABELS)
            .margin_bottom(4)
            .x_label_area_size(48)
            .y_label_area_size(52)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        chart
            .configure_mesh()
            .x_desc(self.axes.0)
            .x_labels(5)
            .y_labels(6)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.15))
            .axis_desc_style((FONT, 16))
            .label_style((FONT, 15))
            .x_label_formatter(&|x| self.x_axis.label(*x))
            .y_label_formatter(&|y| label(*y))
            .draw()?;
        for line in &self.lines {
            let style = line.pen.style();
            // Points beyond the axis would be drawn at its end.
            let points = line.points.iter().copied().filter(|(x, _)| (self.x.start..=self.x.end).contains(x));
            if line.pen.is_dashed {
                chart.draw_series(DashedLineSeries::new(points, 8, 8, style))?;
            } else {
                chart.draw_series(LineSeries::new(points, style))?;
            }
        }
        let (right, top) = chart.backend_coord(&(self.x.end, self.y.end));
        let (_, bottom) = chart.backend_coord(&(self.x.end, self.y.start));
        self.draw_labels(area, right, top..bottom)?;
        area.draw(&Text::new(self.title.clone(), (8, 6), (FONT, 18).into_font().style(FontStyle::Bold)))?;
        area.draw(&Text::new(self.axes.1, (8, 29), (FONT, 16)))
    }

    /// Draws the names of the lines at their ends, each behind a piece of its line. A bracket joins the names of lines that coincide.
    fn draw_labels<B: DrawingBackend>(&self, area: &Area<B>, right: i32, height: Range<i32>) -> Outcome<B> {
        let labels = labels(self);
        let end = |label: &Label| height.end - (f64::from(height.end - height.start) * label.end).round() as i32;
        let places: Vec<_> = labels.iter().map(|label| (end(label), label.rows() as i32 * ROW + 4)).collect();
        // Below the plot they would cover the numbers of the axis.
        for (label, top) in labels.iter().zip(spread(&places, height.end + ROW / 2)) {
            let first = top + 2 + ROW / 2;
            let last = first + label.first_row_of_last_name() as i32 * ROW;
            for (line, _) in &label.names {
                let leader = [(right, end(label)), (right + 11, (first + last) / 2)];
                self.lines[*line].pen.thin().draw(area, leader)?;
            }
            area.draw(&PathElement::new([(right + 11, first), (right + 11, last)], BLACK))?;
            self.draw_names(area, label, (right + 12, first))?;
        }
        Ok(())
    }

    fn draw_names<B: DrawingBackend>(&self, area: &Area<B>, label: &Label, (x, mut y): (i32, i32)) -> Outcome<B> {
        for (line, rows) in &label.names {
            self.lines[*line].pen.draw(area, [(x, y), (x + 17, y)])?;
            for row in rows {
                let style = (FONT, 16).into_text_style(area).pos(Pos::new(HPos::Left, VPos::Center));
                area.draw(&Text::new(row.clone(), (x + 22, y), style))?;
                y += ROW;
            }
        }
        Ok(())
    }
}

impl Pen {
    fn style(self) -> ShapeStyle {
        ShapeStyle::from(&self.color).stroke_width(self.width)
    }

    fn thin(self) -> Self {
        Self { width: self.width.min(3), ..self }
    }

    fn draw<B: DrawingBackend>(self, area: &Area<B>, points: [(i32, i32); 2]) -> Outcome<B> {
        if self.is_dashed {
            area.draw(&DashedPathElement::new(points, 5, 3, self.style()))
        } else {
            area.draw(&PathElement::new(points, self.style()))
        }
    }
}

type Area<B> = DrawingArea<B, plotters::coord::Shift>;

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
