//! The report as an HTML page.

use core::fmt::{self, Display, Write};

use super::rows::{Report, ReportRow};
use super::table::{HEAD, cells, reasons};

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --bad: #c62828 }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80 } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 }
p { opacity: .75; margin: .2rem 0 1.5rem }
div { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .7rem; text-align: right; white-space: nowrap }
th { border-bottom-width: 2px }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left }
td { font-variant-numeric: tabular-nums }
td:first-child { font-family: ui-monospace, monospace; white-space: normal; overflow-wrap: anywhere; min-width: 14rem }
.none { opacity: .4 }
.bad { color: var(--bad); font-weight: 600 }
";

impl Report {
    /// Formats the report as a complete HTML page, without external resources. A handler of axum or hyper can return it
    /// as `text/html`. The page reloads itself every ten seconds. Names are escaped.
    ///
    /// ```
    /// # let report = retry_runtime::stats::report();
    /// let page = report.to_html();
    /// assert!(page.starts_with("<!doctype html>"));
    /// ```
    #[must_use]
    pub fn to_html(&self) -> String {
        Page(&self.rows).to_string()
    }
}

struct Page<'a>(&'a [ReportRow]);

impl Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")?;
        f.write_str("<meta name=\"viewport\" content=\"width=device-width\">\n")?;
        f.write_str("<meta http-equiv=\"refresh\" content=\"10\">\n")?;
        write!(f, "<title>Retries</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Retries</h1>\n")?;
        f.write_str(
            "<p>Since this process started, for everything that has been called.</p>\n<div><table>\n<thead><tr>",
        )?;
        HEAD.iter().chain(&["why it gave up"]).try_for_each(|head| write!(f, "<th>{head}</th>"))?;
        f.write_str("</tr></thead>\n<tbody>\n")?;
        self.0.iter().try_for_each(|row| write_row(row, f))?;
        if self.0.is_empty() {
            writeln!(f, "<tr><td colspan=\"{}\">nothing has been called yet</td></tr>", HEAD.len() + 1)?;
        }
        f.write_str("</tbody>\n</table></div>\n</body>\n</html>\n")
    }
}

fn write_row(row: &ReportRow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("<tr>")?;
    for (head, cell) in HEAD.iter().zip(cells(row)) {
        let class = match (*head, &*cell) {
            ("name", _) => "",
            (_, "0" | "0ns") => " class=\"none\"",
            ("gave up", _) => " class=\"bad\"",
            _ => "",
        };
        write!(f, "<td{class}>{}</td>", Escaped(&cell))?;
    }
    writeln!(f, "<td>{}</td></tr>", Escaped(&reasons(row)))
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
