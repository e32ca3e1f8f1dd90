//! The table: one line per figure, with its goal.

/// The goal for a figure.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// At most this multiple of the loop's figure.
    Times(f64),
    /// At most this much above the loop's figure.
    Above(f64),
    /// At most this value, whatever the loop's figure.
    AtMost(f64),
    /// No goal.
    Open,
}

pub(crate) fn head(hand_written: &str) {
    println!("\n{:<46}{hand_written:>16}{:>12}{:>11}   goal", "", "ours", "");
}

pub(crate) fn line(label: &str, hand_written: f64, ours: f64, goal: Goal) {
    line_with_ratio(label, hand_written, ours, ours / hand_written, goal);
}

pub(crate) fn line_with_ratio(label: &str, hand_written: f64, ours: f64, ratio: f64, goal: Goal) {
    let above = ours - hand_written;
    let (text, met) = match goal {
        Goal::Times(most) => (format!("≤ {most:.2} ×"), ratio <= most),
        Goal::Above(most) => (format!("≤ {most:+.0}"), above <= most),
        Goal::AtMost(most) => (format!("≤ {most:.0}"), ours <= most),
        Goal::Open => (String::new(), true),
    };
    let verdict = match goal {
        Goal::Open => "",
        _ if met => "met",
        _ => "NOT MET",
    };
    let beside = match goal {
        Goal::Above(_) => format!("{above:+.0}"),
        _ if hand_written == 0.0 => String::new(),
        _ => format!("{ratio:.2} ×"),
    };
    let line = format!("{label:<46}{:>16}{:>12}{beside:>11}   {text:<11}{verdict}", figure(hand_written), figure(ours));
    println!("{}", line.trim_end());
}

fn figure(value: f64) -> String {
    if value.fract().abs() < 0.05 { format!("{value:.0}") } else { format!("{value:.1}") }
}
