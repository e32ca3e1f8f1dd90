//! A chapter: one topic as text, as a table and as plots.

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
    pub table: Table,
    /// The results as plots, which share a legend.
    pub plots: Vec<Plot>,
}
