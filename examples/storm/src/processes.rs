//! Number of processes: the same calls from few or many processes, each with its own budget.

use std::time::Duration;

use super::chapter::Chapter;
use super::outage::requests;
use super::plot::{Line, Pen, Plot};
use super::record::Record;
use super::retries::Retries;
use super::scenario::Scenario;
use super::server::Server;
use super::table::{Table, times};

const LENGTH: Duration = Duration::from_secs(600);
const FIRST: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);

fn run(processes: usize, retries: Retries, length: Duration) -> Record {
    Scenario { processes, ..Scenario::new(Server::DOWN, retries, length) }.run()
}

/// Returns how long the load stays above 1.1.
fn overload(record: &Record) -> Duration {
    let tens = (0..).map(|n| FIRST * n).take_while(|at| *at + FIRST <= LENGTH);
    tens.filter(|at| record.load(*at..*at + FIRST) > 1.1).last().map_or(Duration::ZERO, |at| at + FIRST)
}

const COMPARED: [(usize, Retries); 6] = [
    (1, Retries::Budget),
    (10, Retries::Budget),
    (100, Retries::Budget),
    (1000, Retries::Budget),
    (10_000, Retries::Budget),
    (10_000, Retries::Capacity(10)),
];

pub(super) fn chapter() -> Chapter {
    let mut table = Table::new(&["processes", "load, first 10 s", "the minute after", "above 1.1 × for", "retries"]);
    let mut lines = Vec::new();
    for (index, (processes, retries)) in COMPARED.into_iter().enumerate() {
        let record = run(processes, retries, LENGTH);
        let name = format!("{processes} with a {}", retries.name());
        let loads = [record.load(Duration::ZERO..FIRST), record.load(FIRST..FIRST + MINUTE)].map(times);
        let rest = [format!("{} s", overload(&record).as_secs()), format!("{}", record.retries())];
        table.row(&name, loads.into_iter().chain(rest));
        lines.push(Line { name, pen: Pen::number(index), points: requests(&record, LENGTH, Duration::from_secs(1)) });
    }
    Chapter {
        title: "Limits of a budget per process",
        text: "An outage as above, with the same 1000 calls per second from an increasing number of processes. Each process has \
               tokens for 100 retries: 1000 processes send 100,000 retries before their budgets stop them, and 10,000 \
               processes send a million. Processes that each send few requests need fewer tokens, or a shared limiter.",
        table,
        plots: vec![
            plot("The first minute of an outage, by number of processes", MINUTE, &lines),
            plot("Ten minutes of an outage, by number of processes", LENGTH, &lines),
        ],
    }
}

fn plot(title: &str, end: Duration, lines: &[Line]) -> Plot {
    Plot {
        title: title.to_owned(),
        axes: ("time since the outage began, s", "requests per second"),
        x: 0.0..end.as_secs_f64(),
        y: 0.0..4500.0,
        lines: lines.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_adds_a_hundred_retries() {
        assert_eq!(run(10, Retries::Budget, FIRST).retries(), 1000.0);
        assert_eq!(run(100, Retries::Budget, MINUTE).retries(), 10_000.0);
    }

    #[test]
    fn a_thousand_processes_have_no_bound_at_first() {
        let load = run(1000, Retries::Budget, FIRST).load(Duration::ZERO..FIRST);
        assert!(load > 3.9, "{load}");
    }

    #[test]
    fn a_smaller_capacity_bounds_many_processes() {
        let record = run(10_000, Retries::Capacity(10), MINUTE);
        assert!(record.retries() <= 20_000.0 && record.load(MINUTE / 2..MINUTE) < 1.2, "{}", record.retries());
    }
}
