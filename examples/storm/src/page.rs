//! The HTML page with all chapters.

use std::fmt::Write;

use super::chapter::Chapter;
use super::plot::{Plot, STYLE};
use super::table::Table;

const PAGE_STYLE: &str = "
:root { color-scheme: light dark; --text: #222; --page: #fff; --line: #ddd }
@media (prefers-color-scheme: dark) { :root { --text: #ddd; --page: #1c1c1e; --line: #444 } }
body { font: 16px/1.5 sans-serif; max-width: 1180px; margin: 2em auto; padding: 0 1em; color: var(--text); background: var(--page) }
h1 { line-height: 1.2 }
h1, h2, th { text-wrap: balance }
h2 { line-height: 1.3; margin-top: 2em; border-top: 1px solid var(--line); padding-top: 1em }
p { max-width: 80ch }
.plots { display: flex; flex-wrap: wrap; gap: 16px 24px; align-items: center }
svg { flex: 1 1 500px; max-width: 570px; min-width: 0; height: auto }
.table { max-width: 100%; overflow-x: auto }
table { border-collapse: collapse; margin: .5em 0 }
th, td { padding: .15em .8em; text-align: right; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left; padding-left: 0; min-width: 9em }
td:not(:first-child) { white-space: nowrap }
";

const TITLE: &str = "The load that retries cause on a server";

const INTRODUCTION: &str = "1000 calls per second in virtual time, through the library's own policies, executors and budgets. \
Calls with retries have up to three, with exponential backoff from 100 ms and full jitter, and wait 1 s for a response. \
Ratio budgets have windows of 10 s, each with a reserve of 100 retries. \
A bracket joins the names of lines that coincide.";

/// Returns the HTML page with these chapters.
#[must_use]
pub fn page(chapters: &[Chapter]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{TITLE}</title>\n<style>{STYLE}\n{PAGE_STYLE}</style>\n<h1>{TITLE}</h1>\n<p>{INTRODUCTION}</p>\n"
    );
    for Chapter { title, text, tables, plots } in chapters {
        let plots: String = plots.iter().map(Plot::svg).collect();
        let tables: String = tables.iter().map(Table::html).collect();
        let _ = writeln!(page, "<h2>{title}</h2>\n<p>{text}</p>\n<div class=\"plots\">{plots}{tables}</div>");
    }
    page + "</html>\n"
}
