//! A chapter: one topic as text, as tables and as plots.

use super::plot::Plot;
use super::table::Table;

/// A topic with its results.
#[derive(Debug)]
pub struct Chapter {
    /// The topic.
    pub title: &'static str,
    /// The description of the scenario and the results.
    pub text: &'static str,
    /// The figures.
    pub tables: Vec<Table>,
    /// The results as plots.
    pub plots: Vec<Plot>,
}
