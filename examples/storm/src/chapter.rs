//! One question, and the answer as text, as a table and as plots.

use super::plot::Plot;
use super::table::Table;

/// One question and its answer.
#[derive(Debug)]
pub struct Chapter {
    /// The question.
    pub title: &'static str,
    /// What was done, and what the plots show of it.
    pub text: &'static str,
    /// The figures.
    pub table: Table,
    /// The same at a glance. They share a legend.
    pub plots: Vec<Plot>,
}
