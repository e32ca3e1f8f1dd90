//! Independent failures: a server that fails a share of its requests.

use std::time::Duration;

use super::chapter::Chapter;
use super::plot::{Axis, Line, Pen, Plot};
use super::record::Record;
use super::retries::Retries;
use super::scenario::Scenario;
use super::server::Server;
use super::table::{Table, percent, times};

const LENGTH: Duration = Duration::from_secs(30);
/// A shorter run for the plots, which have many points.
const SHORT: Duration = Duration::from_secs(15);

/// The time until a budget has seen how busy its process is.
const WARM_UP: Duration = Duration::from_secs(2);

fn run(failures: f64, retries: Retries, length: Duration) -> Record {
    Scenario { warm_up: WARM_UP, ..Scenario::new(Server::Flaky(failures), retries, length) }.run()
}

fn table() -> Table {
    let mut table =
        Table::new(&["requests that fail", "10 %: successful calls", "load", "50 %: successful calls", "load"]);
    for retries in Retries::COMPARED {
        let records = [0.1, 0.5].map(|failures| run(failures, retries, LENGTH));
        table.row(retries.name(), records.iter().flat_map(|r| [percent(r.success_rate()), times(r.whole_load())]));
    }
    table
}

/// Plots `figure` for each share of failures.
fn plot(title: &str, y: &'static str, end: f64, figure: fn(&Record) -> f64) -> Plot {
    let points = |retries| {
        let shares = (0..=20).map(|n| f64::from(n) * 0.05);
        shares.map(|share| (share * 100.0, figure(&run(share, retries, SHORT)))).collect()
    };
    Plot {
        title: title.to_owned(),
        axes: ("requests that fail, %", y),
        x_axis: Axis::Linear,
        x: 0.0..100.0,
        y: 0.0..end,
        lines: Retries::COMPARED
            .into_iter()
            .map(|retries| Line { name: retries.name(), pen: Pen::of(retries), points: points(retries) })
            .collect(),
    }
}

pub(super) fn chapter() -> Chapter {
    Chapter {
        title: "Retries of independent failures",
        text: "Each request fails independently with a given probability. If few requests fail, the standard budget allows all \
               retries. If many fail, it refuses some retries instead of multiplying the load.",
        tables: vec![table()],
        plots: vec![
            plot("Calls that succeed", "calls that succeed, %", 105.0, |record| record.success_rate() * 100.0),
            plot("Load", "requests for each call", 4.2, Record::whole_load),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_budget_retries_all_failures_if_one_of_ten_requests_fails() {
        let record = run(0.1, Retries::Budget, LENGTH);
        assert!(record.success_rate() >= 0.999, "{}", record.success_rate());
        assert!((record.whole_load() - 1.11).abs() < 0.01, "{}", record.whole_load());
    }

    #[test]
    fn the_standard_budget_bounds_the_load_if_half_of_the_requests_fail() {
        let [ours, naive] = [Retries::Budget, Retries::Naive].map(|retries| run(0.5, retries, LENGTH));
        assert!(ours.success_rate() > 0.6 && ours.whole_load() < 1.25, "{}", ours.whole_load());
        assert!(naive.success_rate() > 0.93 && naive.whole_load() > 1.85, "{}", naive.whole_load());
    }
}
