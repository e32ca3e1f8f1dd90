//! The report as a table for a terminal.

use core::fmt;

use super::rows::{Report, ReportRow};
use crate::util::durations::{Coarse, legible};
use crate::util::utc::Utc;

pub(super) const HEAD: [&str; 9] =
    ["name", "calls", "attempts", "attempts per call", "rejected", "recovered", "gave up", "cancelled", "waited"];

/// The head of the last column, which has the reasons.
pub(super) const REASONS_HEAD: &str = "why it gave up";

/// The cells of a row, in the order of [`HEAD`].
pub(super) fn cells(row: &ReportRow) -> [String; HEAD.len()] {
    [
        row.name.replace(char::is_control, "\u{fffd}"),
        row.calls.to_string(),
        row.attempts.to_string(),
        format!("{:.2}", row.attempts_per_call),
        row.rejected.to_string(),
        row.recovered.to_string(),
        row.gave_up.to_string(),
        row.cancelled.to_string(),
        format!("{:?}", legible(row.waited)),
    ]
}

/// The reasons for giving up in a row, each with its number: `exhausted 3, permanent 1`.
pub(super) fn reasons(row: &ReportRow) -> String {
    let reasons: Vec<_> = row.gave_up_by_reason.iter().map(|(why, count)| format!("{why} {count}")).collect();
    reasons.join(", ")
}

/// Writes the line above the table: the time of the report, and since when it counts.
fn write_times(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (report.at, report.since) {
        (Some(at), Some(since)) => {
            writeln!(f, "calls from {} to {} ({})", Utc(since), Utc(at), Coarse(report.uptime))
        }
        (Some(at), None) => writeln!(f, "no calls until {}", Utc(at)),
        (None, _) => Ok(()),
    }
}

/// Writes the table, without a line break at its end.
fn write(rows: &[ReportRow], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let table: Vec<_> = rows.iter().map(cells).collect();
    let width = |column: usize| {
        let cells = table.iter().map(|row| row[column].chars().count());
        cells.chain([HEAD[column].len()]).max().unwrap_or_default()
    };
    let widths: [usize; HEAD.len()] = core::array::from_fn(width);
    line(f, &HEAD, &widths, REASONS_HEAD)?;
    for (row, cells) in rows.iter().zip(&table) {
        f.write_str("\n")?;
        line(f, cells, &widths, &reasons(row))?;
    }
    Ok(())
}

/// Writes a line, with the name aligned to the left and the numbers to the right, without trailing spaces.
fn line<C: AsRef<str>>(f: &mut fmt::Formatter<'_>, cells: &[C], widths: &[usize], reasons: &str) -> fmt::Result {
    for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        match column {
            0 => write!(f, "{:<width$}", cell.as_ref())?,
            _ => write!(f, "  {:>width$}", cell.as_ref())?,
        }
    }
    if reasons.is_empty() { Ok(()) } else { write!(f, "  {reasons}") }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_times(self, f)?;
        write(&self.rows, f)
    }
}
