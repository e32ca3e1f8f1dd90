//! Freeze: a server with limited capacity that stops for five seconds.
//!
//! This is the worst case: the queue is unlimited, and the server also processes requests whose clients have timed out. A
//! request that waits for more than a second times out, so the goodput is 0 until the queue is shorter than a second.

use std::ops::Range;
use std::time::Duration;

use super::chapter::Chapter;
use super::plot::{Axis, Line, Pen, Plot};
use super::record::Record;
use super::retries::Retries;
use super::scenario::{RATE, SEED, Scenario};
use super::server::Server;
use super::table::Table;

const FREEZE: Range<Duration> = Duration::from_secs(10)..Duration::from_secs(15);
/// The time limit for a recovery.
const PATIENCE: Duration = Duration::from_secs(120);
const RECOVERED: f64 = 0.93;
const UTILIZATIONS: [f64; 4] = [0.50, 0.70, 0.85, 0.95];
/// The number of seconds after the freeze in each plot.
const SHOWN: [f64; 4] = [15.0, 35.0, 90.0, 120.0];

fn run(utilization: f64, retries: Retries, patience: Duration, seed: u64) -> Record {
    let server = Server::queue(f64::from(RATE) / utilization, FREEZE);
    Scenario { seed, ..Scenario::new(server, retries, FREEZE.end + patience) }.run()
}

/// Returns the seconds from the end of the freeze until the goodput recovers, or `None` if it does not.
fn recovery(record: &Record, patience: Duration) -> Option<f64> {
    record.recovery(FREEZE.end, RECOVERED, FREEZE.end + patience).map(|after| after.as_secs_f64())
}

/// Returns the additional recovery time with the standard budget compared to no retries, in seconds, for each seed.
fn lags(utilization: f64, seeds: Range<u64>) -> Vec<f64> {
    // The spare capacity has to work off 4 s of calls: those of the freeze, except for the last second, whose clients still
    // wait. The limit adds a margin.
    let patience = Duration::from_secs_f64(6.0 + 5.0 * utilization / (1.0 - utilization));
    let after =
        |retries, seed| recovery(&run(utilization, retries, patience, seed), patience).expect("the server recovers");
    seeds.map(|seed| after(Retries::Budget, seed) - after(Retries::None, seed)).collect()
}

fn lag(utilization: f64) -> String {
    let lags = lags(utilization, 0..10);
    let (least, most) = lags.iter().fold((f64::MAX, f64::MIN), |(least, most), lag| (least.min(*lag), most.max(*lag)));
    format!("{:.2} s ({least:.1} to {most:.1})", mean(&lags))
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn goodput(record: &Record) -> Vec<(f64, f64)> {
    let times = (4..).map(|n| Duration::from_millis(250) * n).take_while(|at| *at <= FREEZE.end + PATIENCE);
    times.map(|at| (at.as_secs_f64() - FREEZE.end.as_secs_f64(), record.goodput(at) * 100.0)).collect()
}

pub(super) fn chapter() -> Chapter {
    let mut table = Table::new(&["utilization before the freeze", "50 %", "70 %", "85 %", "95 %"]);
    let records = Retries::COMPARED.map(|retries| (retries, UTILIZATIONS.map(|u| run(u, retries, PATIENCE, SEED))));
    for (retries, records) in &records {
        let after = |record| recovery(record, PATIENCE).map_or("never".to_owned(), |after| format!("{after:.1} s"));
        table.row(retries.name(), records.iter().map(after));
    }
    table.row("additional time with the standard budget, mean and range of 10 seeds", UTILIZATIONS.map(lag));
    Chapter {
        title: "Recovery after a freeze",
        text: "The server stops for 5 s, until 0 in the plots, and its clients wait 1 s for a response. The server then works \
               off the queue, although its clients have timed out. Retries make the queue longer. Without a budget it grows \
               faster than the server works it off, and the goodput stays at 0. The same happens with a ratio budget p above a \
               utilization of 1/(1+p). With the standard budget, the server recovers within a second of its recovery time without retries. \
               The table shows the time until the rate of successful calls reaches 93 % of the rate of calls.",
        tables: vec![table],
        plots: UTILIZATIONS.iter().enumerate().map(|(index, u)| plot(*u, &records, index)).collect(),
    }
}

fn plot(utilization: f64, records: &[(Retries, [Record; 4])], index: usize) -> Plot {
    Plot {
        title: format!("Goodput at {:.0} % utilization", utilization * 100.0),
        axes: ("time since the end of the freeze, s", "calls that succeed, % of those made"),
        x_axis: Axis::Linear,
        x: -FREEZE.end.as_secs_f64()..SHOWN[index],
        y: 0.0..210.0,
        lines: records
            .iter()
            .map(|(retries, records)| Line {
                name: retries.name(),
                pen: Pen::of(*retries),
                points: goodput(&records[index]),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_budget_recovers_within_a_second_of_no_retries() {
        for utilization in UTILIZATIONS {
            let lags = lags(utilization, 0..4);
            assert!(lags.iter().all(|lag| *lag <= 1.0), "{utilization}: {lags:?}");
        }
    }

    #[test]
    fn without_a_budget_no_server_recovers() {
        for utilization in UTILIZATIONS {
            let patience = Duration::from_secs(30);
            assert_eq!(recovery(&run(utilization, Retries::Naive, patience, SEED), patience), None, "{utilization}");
        }
    }

    #[test]
    fn a_ratio_budget_is_metastable_above_its_share_of_the_capacity() {
        let recovers = |percent, utilization| {
            let patience = Duration::from_secs(75);
            recovery(&run(utilization, Retries::Ratio(percent), patience, SEED), patience).is_some()
        };
        assert!(recovers(20, 0.70) && !recovers(20, 0.85));
        assert!(recovers(10, 0.85) && !recovers(10, 0.95));
    }
}
