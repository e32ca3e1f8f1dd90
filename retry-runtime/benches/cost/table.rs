//! The table: a figure a line, beside its goal.

/// What a figure of ours may be.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// This many times the loop's at most.
    Times(f64),
    /// This much above the loop's at most.
    Above(f64),
    /// This much at most, whatever the loop's.
    AtMost(f64),
    /// Anything.
    Open,
}

pub(crate) fn head(by_hand: &str) {
    println!("\n{:<46}{by_hand:>16}{:>12}{:>11}   goal", "", "ours", "");
}

pub(crate) fn line(what: &str, by_hand: f64, ours: f64, goal: Goal) {
    line_with_ratio(what, by_hand, ours, ours / by_hand, goal);
}

pub(crate) fn line_with_ratio(what: &str, by_hand: f64, ours: f64, ratio: f64, goal: Goal) {
    let above = ours - by_hand;
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
        _ if by_hand == 0.0 => String::new(),
        _ => format!("{ratio:.2} ×"),
    };
    let line = format!("{what:<46}{:>16}{:>12}{beside:>11}   {text:<11}{verdict}", figure(by_hand), figure(ours));
    println!("{}", line.trim_end());
}

fn figure(value: f64) -> String {
    if value.fract().abs() < 0.05 { format!("{value:.0}") } else { format!("{value:.1}") }
}
