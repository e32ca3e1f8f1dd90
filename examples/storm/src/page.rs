//! The HTML page with all chapters.

use std::fmt::Write;

use super::chapter::Chapter;
use super::plot::Plot;
use super::table::Table;

const STYLE: &str = "
body { font: 16px/1.5 sans-serif; max-width: 1180px; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
h2 { margin-top: 2em; border-top: 1px solid #ddd; padding-top: 1em }
p { max-width: 80ch }
p.legend { max-width: none }
.legend span { display: inline-block; margin-right: 1.6em }
.legend i { display: inline-block; width: 2em; margin-right: .5em; vertical-align: middle }
.plots { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: center }
svg { flex: 1 1 500px; max-width: 570px; height: auto }
table { border-collapse: collapse; margin: 1em 0 }
th, td { padding: .15em .8em; text-align: right; border-bottom: 1px solid #eee }
th:first-child, td:first-child { text-align: left }
";

const TITLE: &str = "The load that retries cause on a server";

const INTRODUCTION: &str = "1000 calls per second in virtual time, through the library's own policies, executors and budgets. \
Calls with retries have up to three, with exponential backoff from 100 ms and full jitter, and wait 1 s for a response. \
Ratio budgets have windows of 10 s, each with a reserve of 100 retries.";

/// Returns the HTML page with these chapters.
#[must_use]
pub fn page(chapters: &[Chapter]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{TITLE}</title>\n<style>{STYLE}</style>\n\
         <h1>{TITLE}</h1>\n<p>{INTRODUCTION}</p>\n"
    );
    for Chapter { title, text, tables, plots } in chapters {
        let svgs: String = plots.iter().map(Plot::svg).collect();
        let legend = plots.first().map(legend).unwrap_or_default();
        let tables: String = tables.iter().map(Table::html).collect();
        let _ = writeln!(
            page,
            "<h2>{title}</h2>\n<p>{text}</p>\n<p class=\"legend\">{legend}</p>\n<div class=\"plots\">{svgs}{tables}</div>"
        );
    }
    page + "</html>\n"
}

fn legend(plot: &Plot) -> String {
    plot.lines.iter().fold(String::new(), |mut legend, line| {
        let (color, width) = (line.pen.css(), line.pen.width + 1);
        let _ = write!(legend, "<span><i style=\"border-top:{width}px solid {color}\"></i>{}</span>", line.name);
        legend
    })
}
