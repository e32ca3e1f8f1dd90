//! Contention for one row: the simulation of the AWS Architecture Blog, *Exponential Backoff And Jitter* (2015), with the
//! backoffs of this library.
//!
//! Each client reads the version of the row and then writes once. A write with an old version fails. Messages take 10 ± 2 ms.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use retry_runtime::{Executor, Jitter, Policy};

use super::chapter::Chapter;
use super::plot::{Axis, Line, Pen, Plot};
use super::random;
use super::table::Table;
use super::world::World;

/// The published figures use base · 2ⁿ after the n-th failure, starting from 1, so the first delay is twice the base.
const START: Duration = Duration::from_millis(10);
const CAP: Duration = Duration::from_secs(2);
const BASE: Duration = Duration::from_millis(5);

/// Returns the compared backoffs: a name and a policy with unlimited attempts.
fn backoffs() -> [(&'static str, Policy); 5] {
    let exponential = Policy::exponential(START).max_delay(CAP);
    [
        ("no jitter", exponential),
        ("a share of 20 %", exponential.jitter(Jitter::Share(0.2))),
        ("equal jitter", exponential.jitter(Jitter::Equal)),
        ("decorrelated", Policy::decorrelated(BASE, CAP)),
        ("full jitter", exponential.jitter(Jitter::Full)),
    ]
    .map(|(name, policy)| (name, policy.unlimited().random_source(random::uniform)))
}

/// The mean effort until every client has written once.
#[derive(Clone, Copy)]
struct Effort {
    /// The number of writes, including those that failed.
    calls: f64,
    /// The time until the last write succeeded.
    seconds: f64,
}

/// Simulates this number of clients, repeated `rounds` times.
fn contend(clients: u32, policy: Policy, rounds: u32) -> Effort {
    let (mut calls, mut seconds) = (0.0, 0.0);
    for round in 0..rounds {
        random::seed(round.into());
        let row = Rc::new(Row { world: World::default(), version: Cell::new(0), calls: Cell::new(0) });
        (0..clients).for_each(|_| row.world.spawn(write(Rc::clone(&row), policy)));
        row.world.run();
        calls += f64::from(row.calls.get());
        seconds += row.world.now().as_secs_f64();
    }
    Effort { calls: calls / f64::from(rounds), seconds: seconds / f64::from(rounds) }
}

struct Row {
    world: World,
    version: Cell<u32>,
    calls: Cell<u32>,
}

impl Row {
    /// Waits for the travel time of a message.
    async fn travel(&self) {
        self.world.sleep(Duration::from_secs_f64(random::normal(0.010, 0.002).abs())).await;
    }

    async fn read(&self) -> u32 {
        self.travel().await;
        let version = self.version.get();
        self.travel().await;
        version
    }

    async fn write(&self, version: u32) -> Result<(), Conflict> {
        self.travel().await;
        self.calls.set(self.calls.get() + 1);
        let is_current = version == self.version.get();
        self.version.set(self.version.get() + u32::from(is_current));
        self.travel().await;
        if is_current { Ok(()) } else { Err(Conflict) }
    }

    async fn read_and_write(&self) -> Result<(), Conflict> {
        self.write(self.read().await).await
    }
}

async fn write(row: Rc<Row>, policy: Policy) {
    let mut retry = Executor::new(&policy).sleep(|delay| row.world.sleep(delay));
    while let Err(conflict) = retry.attempt_to_end(row.read_and_write()).await {
        retry.pause(conflict).expect("no limit on attempts").await;
    }
    retry.succeed(());
}

/// Another client has written in between.
#[derive(Debug)]
struct Conflict;

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("conflict")
    }
}

/// The number of runs for each mean.
const ROUNDS: u32 = 100;
const CLIENTS: u32 = 100;

/// Returns the effort by number of clients, in steps of ten, starting with no clients.
fn efforts(policy: Policy) -> Vec<Effort> {
    let none = Effort { calls: 0.0, seconds: 0.0 };
    [none].into_iter().chain((10..=CLIENTS).step_by(10).map(|clients| contend(clients, policy, ROUNDS))).collect()
}

pub(super) fn chapter() -> Chapter {
    let mut table = Table::new(&["100 clients", "calls", "done after"]);
    let (mut calls, mut seconds) = (Vec::new(), Vec::new());
    for (index, (name, policy)) in backoffs().into_iter().enumerate() {
        let efforts = efforts(policy);
        let all = efforts[efforts.len() - 1];
        table.row(name, [format!("{:.0}", all.calls), format!("{:.2} s", all.seconds)]);
        let line = |figure: fn(&Effort) -> f64| Line {
            name: name.to_owned(),
            pen: Pen::number(index),
            points: efforts.iter().enumerate().map(|(tens, effort)| (tens as f64 * 10.0, figure(effort))).collect(),
        };
        calls.push(line(|effort| effort.calls));
        seconds.push(line(|effort| effort.seconds));
    }
    Chapter {
        title: "Jitter under contention",
        text: "Each client reads a row and writes it once. The write fails if another client has written in between. The client \
               then waits and starts over. Without jitter, clients that fail together retry together. Full jitter needs the fewest \
               calls, and decorrelated jitter the least time. This is the simulation of the AWS Architecture Blog, Exponential \
               Backoff And Jitter (2015), with its base of 5 ms and cap of 2 s.",
        tables: vec![table],
        plots: vec![
            plot("Calls until all have written", "calls", 2000.0, calls),
            plot("Time until all have written", "time, s", 70.0, seconds),
        ],
    }
}

fn plot(title: &str, y: &'static str, end: f64, lines: Vec<Line>) -> Plot {
    Plot {
        title: title.to_owned(),
        axes: ("clients that compete", y),
        x_axis: Axis::Linear,
        x: 0.0..CLIENTS.into(),
        y: 0.0..end,
        lines,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The figures of the published simulation, run with its base of 5 ms, its cap of 2 s and a hundred clients.
    #[test]
    fn backoffs_match_the_published_figures() {
        let backoffs = BTreeMap::from(backoffs());
        for (name, calls, seconds) in [("full jitter", 797.0, 4.9), ("no jitter", 1844.0, 63.0)] {
            let effort = contend(100, backoffs[name], 20);
            assert!((effort.calls / calls - 1.0).abs() < 0.05, "{name}: {} calls", effort.calls);
            assert!((effort.seconds / seconds - 1.0).abs() < 0.1, "{name}: {} s", effort.seconds);
        }
    }
}
