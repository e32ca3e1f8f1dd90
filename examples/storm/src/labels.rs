//! Labels at the ends of lines: lines that coincide share a label, and labels do not overlap.

use super::plot::Plot;

/// The longest row of a label, in characters.
const ROW_LENGTH: usize = 15;

/// The label of a line, or of several lines that coincide.
#[derive(Debug, PartialEq)]
pub(super) struct Label {
    /// The indices of the lines, each with its name in rows.
    pub(super) names: Vec<(usize, Vec<String>)>,
    /// The height at which the lines end, from 0 at the bottom of the plot to 1 at its top.
    pub(super) end: f64,
}

impl Label {
    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.names.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// The row in which the last name begins.
    pub(super) fn first_row_of_last_name(&self) -> usize {
        self.rows() - self.names.last().map_or(0, |(_, rows)| rows.len())
    }
}

/// Returns the labels of a plot, from top to bottom.
pub(super) fn labels(plot: &Plot) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for (index, line) in plot.lines.iter().enumerate() {
        let name = (index, rows(&line.name));
        match labels.iter_mut().find(|label| coincide(plot, label.names[0].0, index)) {
            Some(label) => label.names.push(name),
            None => labels.push(Label { names: vec![name], end: end(plot, index) }),
        }
    }
    labels.sort_by_cached_key(|label| order(plot, label));
    labels
}

/// The heights of a line in the plot, between 0 and 1.
fn heights(plot: &Plot, line: usize) -> impl Iterator<Item = f64> {
    let shown = plot.lines[line].points.iter().filter(|(x, _)| (plot.x.start..=plot.x.end).contains(x));
    shown.map(|(_, y)| ((y - plot.y.start) / (plot.y.end - plot.y.start)).clamp(0.0, 1.0))
}

/// Orders labels from top to bottom: by the end of the line, and for lines that end together by the mean of the line.
fn order(plot: &Plot, label: &Label) -> (i64, i64) {
    let heights: Vec<_> = heights(plot, label.names[0].0).collect();
    let mean = heights.iter().sum::<f64>() / heights.len() as f64;
    ((label.end * -50.0).round() as i64, (mean * -1000.0).round() as i64)
}

fn end(plot: &Plot, line: usize) -> f64 {
    heights(plot, line).last().unwrap_or_default()
}

/// True if at least 95 % of the points of two lines are closer to each other than about the width of a line.
fn coincide(plot: &Plot, one: usize, other: usize) -> bool {
    const WIDTH: f64 = 0.012;
    let distances: Vec<_> = heights(plot, one).zip(heights(plot, other)).map(|(a, b)| (a - b).abs()).collect();
    distances.iter().filter(|distance| **distance < WIDTH).count() * 20 >= distances.len() * 19
}

/// Splits a name into rows, after a comma if there is one.
fn rows(name: &str) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut left = name.chars().count();
    for word in name.split(' ') {
        let row = rows.last_mut().expect("there is a first row");
        let length = row.chars().count();
        let is_full = length + 1 + word.chars().count() > ROW_LENGTH;
        let ends_a_part = row.ends_with(',') && length + 1 + left > ROW_LENGTH;
        if row.is_empty() {
            row.push_str(word);
        } else if is_full || ends_a_part {
            rows.push(word.to_owned());
        } else {
            row.push(' ');
            row.push_str(word);
        }
        left = left.saturating_sub(word.chars().count() + 1);
    }
    rows
}

/// Moves labels apart. Takes the preferred middle and the height of each, from top to bottom, and returns their tops. They
/// stay between 0 and `bottom` if they fit.
pub(super) fn spread(labels: &[(i32, i32)], bottom: i32) -> Vec<i32> {
    let mut free = 0;
    let mut tops: Vec<i32> = Vec::new();
    for (middle, height) in labels {
        let top = free.max(middle - height / 2);
        free = top + height;
        tops.push(top);
    }
    let mut free = bottom;
    for (top, (_, height)) in tops.iter_mut().zip(labels).rev() {
        *top = (*top).min(free - height);
        free = *top;
    }
    tops
}

#[cfg(test)]
mod tests {
    use super::super::plot::{Axis, Line, Pen};
    use super::*;

    fn plot(lines: &[(&str, [f64; 3])]) -> Plot {
        let line = |(name, heights): &(&str, [f64; 3])| Line {
            name: (*name).to_owned(),
            pen: Pen::number(0),
            points: (0..).map(f64::from).zip(*heights).collect(),
        };
        Plot {
            title: String::new(),
            axes: ("", ""),
            x_axis: Axis::Linear,
            x: 0.0..2.0,
            y: 0.0..10.0,
            lines: lines.iter().map(line).collect(),
        }
    }

    #[test]
    fn lines_that_coincide_share_a_label() {
        let plot = plot(&[("a", [1.0, 2.0, 3.0]), ("b", [1.0, 8.0, 9.0]), ("c", [1.1, 2.1, 2.9])]);
        let names = |label: &Label| label.names.iter().map(|(index, _)| *index).collect::<Vec<_>>();
        assert_eq!(labels(&plot).iter().map(names).collect::<Vec<_>>(), [vec![1], vec![0, 2]]);
    }

    #[test]
    fn lines_that_only_end_together_have_labels_of_their_own() {
        assert_eq!(labels(&plot(&[("a", [0.0, 5.0, 1.0]), ("b", [0.0, 9.0, 1.0])])).len(), 2);
    }

    #[test]
    fn labels_of_lines_that_end_together_are_in_the_order_of_the_lines() {
        let plot = plot(&[("low", [0.0, 2.0, 1.0]), ("high", [0.0, 9.0, 1.0]), ("highest", [0.0, 1.0, 2.0])]);
        let names: Vec<_> = labels(&plot).iter().map(|label| label.names[0].1.concat()).collect();
        assert_eq!(names, ["highest", "high", "low"]);
    }

    #[test]
    fn long_names_are_split_after_a_comma() {
        assert_eq!(rows("3 retries, no budget"), ["3 retries,", "no budget"]);
        assert_eq!(rows("budget of 500 tokens"), ["budget of 500", "tokens"]);
        assert_eq!(rows("standard budget"), ["standard budget"]);
        assert_eq!(rows("a, b"), ["a, b"]);
    }

    #[test]
    fn labels_do_not_overlap() {
        assert_eq!(spread(&[(50, 20), (50, 20), (90, 20)], 100), [40, 60, 80]);
        assert_eq!(spread(&[(95, 20), (96, 20), (97, 40)], 100), [20, 40, 60]);
        assert_eq!(spread(&[(0, 20), (0, 20)], 100), [0, 20]);
    }
}
