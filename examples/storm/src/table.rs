//! Tables of figures.

use std::fmt::{self, Write};

/// A table with names in the first column and figures in the others.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    pub(super) fn row(&mut self, name: impl Into<String>, figures: impl IntoIterator<Item = String>) {
        self.rows.push([name.into()].into_iter().chain(figures).collect());
    }

    /// Returns a `<table>` element, which scrolls on a narrow screen.
    pub(super) fn html(&self) -> String {
        let mut html = String::from("<div class=\"table\"><table>\n");
        for (index, row) in self.rows.iter().enumerate() {
            let tag = if index == 0 { "th" } else { "td" };
            let cells = row.iter().fold(String::new(), |mut cells, cell| {
                let _ = write!(cells, "<{tag}>{cell}</{tag}>");
                cells
            });
            let _ = writeln!(html, "<tr>{cells}</tr>");
        }
        html + "</table></div>\n"
    }

    fn width(&self, column: usize) -> usize {
        self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

/// Aligns the columns, for a terminal.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                let width = self.width(column);
                if column == 0 { write!(f, "{cell:width$}")? } else { write!(f, "  {cell:>width$}")? }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

pub(super) fn times(load: f64) -> String {
    format!("{load:.3} ×")
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}
