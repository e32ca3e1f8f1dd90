//! The report: the statistics of all calls of the process so far, by name.

pub(crate) mod numbers;
mod page;
mod rows;
mod table;

pub use self::rows::{Report, ReportRow, report};
