//! Delays of each backoff.

use std::time::Duration;

use retry_runtime::Policy;

use super::chapter::Chapter;
use super::plot::{Axis, Line, Pen, Plot};
use super::table::Table;

const START: Duration = Duration::from_millis(100);
const RETRIES: u32 = 6;

/// Returns the compared backoffs. All of them are deterministic.
fn backoffs() -> [(&'static str, Policy); 4] {
    [
        ("exponential", Policy::exponential(START)),
        ("fibonacci", Policy::fibonacci(START)),
        ("linear", Policy::linear(START)),
        ("fixed", Policy::fixed(START)),
    ]
    .map(|(name, policy)| (name, policy.attempts(RETRIES + 1)))
}

fn delays(policy: Policy) -> Vec<f64> {
    policy.schedule().map(|delay| delay.end().as_secs_f64()).collect()
}

pub(super) fn chapter() -> Chapter {
    let mut table = Table::new(&["delay before retry, s", "1", "2", "3", "4", "5", "6"]);
    let mut lines = Vec::new();
    for (index, (name, policy)) in backoffs().into_iter().enumerate() {
        let delays = delays(policy);
        table.row(name, delays.iter().map(|delay| format!("{delay:.1}")));
        let points = delays.into_iter().zip(1_u32..).map(|(delay, retry)| (retry.into(), delay)).collect();
        lines.push(Line { name: name.to_owned(), pen: Pen::number(index), points });
    }
    Chapter {
        title: "Delays of each backoff",
        text: "The delays with a start of 100 ms, without jitter and without a cap.",
        tables: vec![table],
        plots: vec![Plot {
            title: "Delay before each retry, start 100 ms".to_owned(),
            axes: ("retry", "delay, s"),
            x_axis: Axis::Linear,
            x: 1.0..RETRIES.into(),
            y: 0.0..3.5,
            lines,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plot_has_room_for_the_longest_delay() {
        let longest = backoffs().into_iter().flat_map(|(_, policy)| delays(policy)).fold(0.0, f64::max);
        assert!(longest > 3.0 && longest < 3.5, "{longest}");
    }
}
