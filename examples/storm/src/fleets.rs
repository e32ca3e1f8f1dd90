//! Fleets: the same calls from few or many processes, each with its own budget, or with a shared one.

use std::time::Duration;

use super::chapter::Chapter;
use super::plot::{Axis, Line, Pen, Plot};
use super::record::Record;
use super::retries::{Retries, Store};
use super::scenario::Scenario;
use super::server::Server;
use super::table::{Table, percent, times};

/// The time without failures before the outage, in which the smallest processes make three calls.
const WARM_UP: Duration = Duration::from_secs(30);
const FIRST: Duration = Duration::from_secs(10);
const LENGTH: Duration = Duration::from_secs(70);

/// The time in which a tenth of the requests fails.
const FLAKY: Duration = Duration::from_secs(100);

const FLEETS: [usize; 5] = [1, 10, 100, 1000, 10_000];

const KINDS: [Retries; 7] = [
    Retries::Naive,
    Retries::Capacity(500),
    Retries::Budget,
    Retries::Throttle,
    Retries::Leased(Store::Works),
    Retries::Leased(Store::Away),
    Retries::Gateway,
];

fn outage(processes: usize, retries: Retries) -> Record {
    Scenario { processes, warm_up: WARM_UP, ..Scenario::new(Server::DOWN, retries, LENGTH) }.run()
}

/// A tenth of the requests fails independently, from the start of the processes.
fn flaky(processes: usize, retries: Retries) -> Record {
    Scenario { processes, ..Scenario::new(Server::Flaky(0.1), retries, FLAKY) }.run()
}

fn pen(retries: Retries) -> Pen {
    match retries {
        Retries::Capacity(_) => Pen::number(1),
        Retries::Gateway => Pen::number(2),
        Retries::Throttle => Pen::of(retries).dashed(),
        other => Pen::of(other),
    }
}

fn table(figure: &str) -> Table {
    let heads = FLEETS.map(|processes| processes.to_string());
    let heads: Vec<&str> = [figure].into_iter().chain(heads.iter().map(String::as_str)).collect();
    Table::new(&heads)
}

pub(super) fn chapter() -> Chapter {
    let mut first = table("processes: load in the first 10 s");
    let mut after = table("processes: load in the minute after");
    let mut success = table("processes: calls that succeed at 10 % failures");
    let mut lines = Vec::new();
    for retries in KINDS {
        let outages = FLEETS.map(|processes| outage(processes, retries));
        let loads = outages.each_ref().map(|record| record.load(Duration::ZERO..FIRST));
        first.row(retries.name(), loads.map(times));
        after.row(retries.name(), outages.each_ref().map(|record| times(record.load(FIRST..LENGTH))));
        success.row(retries.name(), FLEETS.map(|processes| percent(flaky(processes, retries).success_rate())));
        if retries == Retries::Leased(Store::Away) {
            // Its line would be under that of the store that works.
            continue;
        }
        let points = (0..).map(f64::from).zip(loads).collect();
        lines.push(Line { name: retries.name(), pen: pen(retries), points });
    }
    Chapter {
        title: "Fleets of processes",
        text: "An outage, with the same 1000 calls per second from an increasing number of processes. Each of them has worked \
               without failures for half a minute. A fixed budget of 500 tokens allows 100 retries in each process, which is as \
               good as no budget in a large fleet. The standard budget follows the traffic of its process, so it stays below \
               twice the load in a fleet of a thousand. Only what all processes share limits the load of any fleet: a pool \
               of tokens that they lease, or one place that makes the retries.",
        tables: vec![first, after, success],
        plots: vec![Plot {
            title: "Load in the first ten seconds of an outage".to_owned(),
            axes: ("processes that make the calls", "requests for each call"),
            x_axis: Axis::PowersOfTen,
            x: 0.0..4.0,
            y: 0.9..4.2,
            lines,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loads(processes: usize, retries: Retries) -> [f64; 2] {
        let record = outage(processes, retries);
        [record.load(Duration::ZERO..FIRST), record.load(FIRST..LENGTH)]
    }

    #[test]
    fn a_fixed_budget_allows_a_hundred_retries_in_each_process() {
        assert_eq!(outage(10, Retries::Capacity(500)).retries(), 1000.0);
        let [first, _] = loads(1000, Retries::Capacity(500));
        assert!(first > 3.9, "{first}");
    }

    #[test]
    fn the_standard_budget_follows_the_traffic_of_its_process() {
        for (processes, most, after) in [(1, 1.015, 1.001), (10, 1.11, 1.001), (100, 1.3, 1.001), (1000, 1.6, 1.01)] {
            let [load, rest] = loads(processes, Retries::Budget);
            assert!(load < most && rest < after, "{processes} processes: {load}, then {rest}");
        }
        let [load, rest] = loads(10_000, Retries::Budget);
        assert!(load < 3.0 && rest < 1.25, "{load}, then {rest}");
    }

    #[test]
    fn budgets_of_the_library_retry_independent_failures_in_each_fleet() {
        for retries in [Retries::Capacity(500), Retries::Budget, Retries::Leased(Store::Works), Retries::Gateway] {
            for processes in FLEETS {
                let rate = flaky(processes, retries).success_rate();
                assert!(rate >= 0.999, "{} in {processes} processes: {rate}", retries.name());
            }
        }
    }

    #[test]
    fn shared_budgets_limit_a_fleet_as_a_single_process() {
        for processes in FLEETS {
            let [load, rest] = loads(processes, Retries::Gateway);
            assert!(load < 1.015 && rest < 1.001, "{processes} processes: {load}, then {rest}");
        }
        for (processes, most) in [(1, 1.015), (10, 1.015), (100, 1.03), (1000, 1.21)] {
            let [load, _] = loads(processes, Retries::Leased(Store::Works));
            assert!(load < most, "{processes} processes: {load}");
        }
    }

    #[test]
    fn without_their_store_leased_budgets_are_stricter() {
        for processes in [10, 1000] {
            let [with, without] = [Store::Works, Store::Away].map(|store| loads(processes, Retries::Leased(store))[0]);
            assert!(without <= with, "{processes} processes: {without} without, {with} with a store");
        }
    }
}
