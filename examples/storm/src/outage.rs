//! Outage: a server that refuses every request.

use std::time::Duration;

use super::chapter::Chapter;
use super::plot::{Axis, Line, Pen, Plot};
use super::record::Record;
use super::retries::Retries;
use super::scenario::Scenario;
use super::server::Server;
use super::table::{Table, times};

const LENGTH: Duration = Duration::from_secs(30);
const FIRST: Duration = Duration::from_secs(10);

fn run(retries: Retries) -> Record {
    Scenario { warm_up: FIRST, ..Scenario::new(Server::DOWN, retries, LENGTH) }.run()
}

/// Returns the load in the first ten seconds and after that.
fn loads(record: &Record) -> [f64; 2] {
    [record.load(Duration::ZERO..FIRST), record.load(FIRST..LENGTH)]
}

/// Returns the rate of requests over time.
pub(super) fn requests(record: &Record, until: Duration, step: Duration) -> Vec<(f64, f64)> {
    let times = (0..).map(|n| step * n).take_while(|at| *at <= until).skip_while(|at| *at < Duration::from_secs(1));
    times.map(|at| (at.as_secs_f64(), record.request_rate(at))).collect()
}

pub(super) fn chapter() -> Chapter {
    let mut table = Table::new(&["load, as a multiple of the calls", "first 10 s", "after"]);
    let mut lines = Vec::new();
    for retries in Retries::COMPARED {
        let record = run(retries);
        table.row(retries.name(), loads(&record).map(times));
        let points = requests(&record, LENGTH, Duration::from_millis(200));
        lines.push(Line { name: retries.name(), pen: Pen::of(retries), points });
    }
    Chapter {
        title: "Load during an outage",
        text: "The server has worked, and now refuses every request. Without a budget it receives four requests for each call during the whole \
               outage. With the standard budget, it receives 100 retries, and after that one request for each call.",
        tables: vec![table],
        plots: vec![Plot {
            title: "Requests during an outage".to_owned(),
            axes: ("time since the outage began, s", "requests per second"),
            x_axis: Axis::Linear,
            x: 0.0..LENGTH.as_secs_f64(),
            y: 0.0..4500.0,
            lines,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_budget_adds_a_hundred_retries_and_then_none() {
        let record = run(Retries::Budget);
        let [first, after] = loads(&record);
        assert!(first <= 1.02 && after <= 1.001, "{first} and {after}");
        assert_eq!(record.retries(), 100.0);
    }

    #[test]
    fn without_a_budget_the_load_is_four_times_the_calls() {
        // Some retries of the first ten seconds arrive after them.
        let record = run(Retries::Naive);
        let [first, after] = loads(&record);
        assert!(first > 3.9 && after > 3.98 && record.whole_load() == 4.0, "{first} and {after}");
    }

    #[test]
    fn a_ratio_budget_adds_its_ratio_and_its_reserve() {
        for (percent, expected) in [(10, 1.11), (20, 1.21)] {
            let [first, after] = loads(&run(Retries::Ratio(percent)));
            assert!((first - expected).abs() < 0.003 && (after - expected).abs() < 0.003, "{first} and {after}");
        }
    }

    #[test]
    fn a_scenario_is_the_same_in_each_run() {
        let [one, other] = [run(Retries::Ratio(20)), run(Retries::Ratio(20))];
        let requests = |record| requests(record, LENGTH, Duration::from_millis(100));
        assert_eq!(requests(&one), requests(&other));
    }
}
