//! The report as an HTML page.

use core::fmt::{self, Display, Write};
use std::time::SystemTime;

use super::rows::{Report, ReportRow};
use super::table::{HEAD, REASONS_HEAD, cells, reasons};
use crate::util::durations::Coarse;
use crate::util::utc::Utc;

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --more: #8a5a00 }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --more: #ffca6b } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 }
h2 { font-size: 1.1rem; margin: 2rem 0 .3rem }
p { margin: .2rem 0 1.5rem }
.table { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .7rem; text-align: right; white-space: nowrap }
th { border-bottom-width: 2px; vertical-align: bottom; white-space: normal }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left }
td { font-variant-numeric: tabular-nums }
td:first-child, dt { font-family: ui-monospace, monospace }
td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 14rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0 }
dd { margin: 0 }
.none { opacity: .6 }
.bad { color: var(--bad); font-weight: 600 }
.more { color: var(--more); font-weight: 600 }
";

/// The style of a narrow screen: each row is a list, in which each cell has the head of its column before it.
const NARROW: &str = "
thead { display: none }
table, tbody, tr, td { display: block }
tr { border-bottom: 2px solid var(--line); padding: .6rem 0 }
td, td:last-child { border: 0; display: flex; gap: 1rem; justify-content: space-between; padding: .05rem 0; text-align: right; white-space: normal }
td:first-child { display: block; font-weight: 600; text-align: left }
td:last-child:empty { display: none }
dl { display: block }
dd { margin-bottom: .4rem }
";

/// The meaning of each column.
const MEANINGS: [&str; HEAD.len() + 1] = [
    "the annotated function, or the name of a loop, of requests or of a service",
    "calls whose first attempt has ended",
    "attempts that have ended, without those that a circuit breaker rejected or whose value was not ready",
    "attempts ÷ calls: the factor by which retries amplify the load. It is 1 without retries, and less if a breaker rejects calls",
    "attempts that a circuit breaker rejected",
    "calls that succeeded with a retry",
    "calls that returned their last failure to the caller",
    "calls that were dropped after their first failure and before their end",
    "the sum of the delays before all retries",
    "each reason, with its number of calls",
];

const COLORS: &str = "\
<dt class=\"bad\">red</dt><dd>calls gave up</dd>\n\
<dt class=\"more\">amber</dt><dd>more than 1.1 attempts per call</dd>\n\
<dt class=\"none\">pale</dt><dd>zero</dd>\n";

/// The attempts per call above which the number is colored.
const MORE: f64 = 1.1;

impl Report {
    /// Formats the report as a complete HTML page, without external resources. A handler of axum or hyper can return it
    /// as `text/html`. The page contains a legend, and follows the browser's light or dark theme. It reloads itself every
    /// ten seconds. Names are escaped.
    ///
    /// ```
    /// # let report = retry_runtime::stats::report();
    /// let page = report.to_html();
    /// assert!(page.starts_with("<!doctype html>"));
    /// ```
    #[must_use]
    pub fn to_html(&self) -> String {
        Page(self).to_string()
    }
}

struct Page<'a>(&'a Report);

impl Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")?;
        f.write_str("<meta name=\"viewport\" content=\"width=device-width\">\n")?;
        f.write_str("<meta http-equiv=\"refresh\" content=\"10\">\n")?;
        f.write_str("<title>Retries</title>\n")?;
        write_style(f)?;
        f.write_str("</head>\n<body>\n<h1>Retries</h1>\n")?;
        write_times(self.0, f)?;
        write_table(&self.0.rows, f)?;
        write_legend(f)?;
        f.write_str("</body>\n</html>\n")
    }
}

/// The heads of all columns.
fn heads() -> impl Iterator<Item = &'static str> {
    HEAD.into_iter().chain([REASONS_HEAD])
}

fn write_style(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "<style>{STYLE}@media (max-width: 50rem) {{{NARROW}")?;
    for (column, head) in (1..).zip(heads()).skip(1) {
        writeln!(f, "td:nth-child({column})::before {{ content: \"{head}\"; font-weight: 400 }}")?;
    }
    f.write_str("}\n</style>\n")
}

fn write_times(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("<p>All calls of this process")?;
    if let Some(since) = report.since {
        write!(f, " from {}", Time(since))?;
    }
    if let Some(at) = report.at {
        write!(f, " to {}", Time(at))?;
    }
    if !report.uptime.is_zero() {
        write!(f, " ({})", Coarse(report.uptime))?;
    }
    f.write_str(". The page reloads itself every ten seconds.</p>\n")
}

/// A time as an element.
struct Time(SystemTime);

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<time>{}</time>", Utc(self.0))
    }
}

fn write_table(rows: &[ReportRow], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("<div class=\"table\"><table>\n<thead><tr>")?;
    heads().try_for_each(|head| write!(f, "<th>{head}</th>"))?;
    f.write_str("</tr></thead>\n<tbody>\n")?;
    rows.iter().try_for_each(|row| write_row(row, f))?;
    if rows.is_empty() {
        writeln!(f, "<tr><td colspan=\"{}\">nothing has been called yet</td></tr>", HEAD.len() + 1)?;
    }
    f.write_str("</tbody>\n</table></div>\n")
}

fn write_row(row: &ReportRow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("<tr>")?;
    for (head, cell) in HEAD.iter().zip(cells(row)) {
        let class = match (*head, &*cell) {
            ("name", _) => "",
            (_, "0" | "0ns") => " class=\"none\"",
            ("gave up", _) => " class=\"bad\"",
            ("attempts per call", _) if row.attempts_per_call > MORE => " class=\"more\"",
            _ => "",
        };
        write!(f, "<td{class}>{}</td>", Escaped(&cell))?;
    }
    writeln!(f, "<td>{}</td></tr>", Escaped(&reasons(row)))
}

fn write_legend(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("<h2>Columns</h2>\n<dl>\n")?;
    for (head, meaning) in heads().zip(MEANINGS) {
        writeln!(f, "<dt>{head}</dt><dd>{meaning}</dd>")?;
    }
    write!(f, "</dl>\n<h2>Colors</h2>\n<dl>\n{COLORS}</dl>\n")
}

/// Text with the special characters of HTML escaped.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}
