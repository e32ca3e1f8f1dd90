//! The picture of the chain of services.

use std::fmt::Write;

use super::chain::{DEADLINE, Headers, NAMES, Outcome, run};
use super::plot::STYLE;

/// A half of the picture: the same chain with or without propagation.
struct Half {
    title: &'static str,
    color: &'static str,
    headers: Headers,
}

const HALVES: [Half; 2] = [
    Half { title: "Without propagation", color: "#D55E00", headers: Headers::None },
    Half { title: "With propagation", color: "#009E73", headers: Headers::Propagated },
];

/// The width of the images of the guide.
pub(super) const WIDTH: u32 = 560;
/// The height of a half.
const HEIGHT: u32 = 170;
/// The height of the line below both halves.
const FOOT: u32 = 30;
/// The boxes: their size, their distance, and the left edge of the first one.
const BOX: (u32, u32) = (80, 50);
const STEP: u32 = 150;
const LEFT: u32 = 15;
/// The top of the boxes in their half.
const TOP: u32 = 68;
const FONT: &str = "font-family='sans-serif'";
const DARK: &str = "@media(prefers-color-scheme:dark){rect{fill:#33373d;stroke:#999}.fails{fill:#5e3520}}";

/// Returns an `<svg>` element. An arrow is as wide as the number of requests.
pub(super) fn chain() -> String {
    let height = HEIGHT * 2 + FOOT;
    let mut svg = format!(
        "<svg width='{WIDTH}' height='{height}' viewBox='0 0 {WIDTH} {height}' xmlns='http://www.w3.org/2000/svg'>\n\
         <style>{STYLE}{DARK}</style>\n"
    );
    for (y, half) in (0..).step_by(HEIGHT as usize).zip(&HALVES) {
        half.draw(&mut svg, y);
    }
    let (x, y) = (WIDTH / 2, height - 8);
    let _ = writeln!(
        svg,
        "<text x='{x}' y='{y}' text-anchor='middle' font-size='19' {FONT}>C always fails. The numbers are requests.</text>"
    );
    svg + "</svg>\n"
}

impl Half {
    fn draw(&self, svg: &mut String, y: u32) {
        let Outcome { requests, .. } = run(self.headers, None);
        let [_, services @ ..] = run(self.headers, Some(DEADLINE)).stopped;
        let last = services.iter().max().map_or(0.0, |time| time.as_secs_f64());
        let (title, color) = (self.title, self.color);
        let _ =
            writeln!(svg, "<text x='{LEFT}' y='{}' font-size='20' font-weight='bold' {FONT}>{title}</text>", y + 30);
        let note = format!("caller gone after 1 s: the services work until {last:.1} s");
        let _ = writeln!(svg, "<text x='{LEFT}' y='{}' font-size='19' {FONT}>{note}</text>", y + TOP + BOX.1 + 32);
        for (index, name) in (0..).zip(NAMES) {
            let x = LEFT + index * STEP;
            if index > 0 {
                arrow(svg, x, y + TOP + BOX.1 / 2, requests[index as usize], color);
            }
            draw_box(svg, x, y + TOP, name, index == 3);
        }
    }
}

/// Draws an arrow that ends at `x`, with its number.
fn arrow(svg: &mut String, x: u32, y: u32, requests: u32, color: &str) {
    let (start, end) = (x - (STEP - BOX.0) + 4, x - 4);
    let width = 2 + requests * 2 / 3;
    let head = 7 + width / 2;
    let _ = writeln!(
        svg,
        "<path d='M{start} {y}H{}' stroke='{color}' stroke-width='{width}'/>\n<path d='M{end} {y}l-16 -{head}v{}z' fill='{color}'/>\n\
         <text x='{}' y='{}' text-anchor='middle' font-size='24' font-weight='bold' font-family='sans-serif' style='fill:{color}'>{requests}</text>",
        end - 14,
        head * 2,
        (start + end) / 2,
        y - 18,
    );
}

fn draw_box(svg: &mut String, x: u32, y: u32, name: &str, fails: bool) {
    let (width, height) = BOX;
    let fill = if fails { "fill='#f4c7ab' class='fails'" } else { "fill='#e8edf2'" };
    let _ = writeln!(
        svg,
        "<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='8' {fill} stroke='#555'/>\n\
         <text x='{}' y='{}' text-anchor='middle' font-size='22' {FONT}>{name}</text>",
        x + width / 2,
        y + height / 2 + 8,
    );
}
