//! Thundering herd: clients that failed at the same time, and the times of their retries.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use retry_runtime::{Executor, Jitter, Policy};

use super::chapter::Chapter;
use super::plot::{Axis, Line, Pen, Plot};
use super::random;
use super::scenario::SEED;
use super::table::Table;
use super::world::World;

const CLIENTS: u32 = 1000;
const START: Duration = Duration::from_secs(1);
/// The time of three retries with delays of up to 1, 2 and 4 s, plus the additional time of jitter.
const LENGTH: Duration = Duration::from_secs(9);
/// The interval in which retries are counted.
const STEP: Duration = Duration::from_millis(100);

fn jitters() -> [(&'static str, Policy); 5] {
    let exponential = Policy::exponential(START);
    [
        ("no jitter", exponential),
        ("a share of 20 %", exponential.jitter(Jitter::Share(0.2))),
        ("equal jitter", exponential.jitter(Jitter::Equal)),
        ("decorrelated", Policy::decorrelated(START, START * 8)),
        ("full jitter", exponential.jitter(Jitter::Full)),
    ]
    .map(|(name, policy)| (name, policy.attempts(4).random_source(random::uniform)))
}

/// Returns the number of retries in each step, if all clients fail at 0 and in every attempt after that.
fn retries(policy: Policy) -> Vec<u32> {
    random::seed(SEED);
    let world = World::default();
    let steps = (LENGTH.as_millis() / STEP.as_millis()) as usize;
    let counts = Rc::new(RefCell::new(vec![0; steps]));
    (0..CLIENTS).for_each(|_| world.spawn(fail(world.clone(), policy, Rc::clone(&counts))));
    world.run();
    counts.take()
}

async fn fail(world: World, policy: Policy, counts: Rc<RefCell<Vec<u32>>>) {
    let mut retry = Executor::new(&policy).sleep(|delay| world.sleep(delay));
    while let Ok(pause) = retry.pause("no") {
        pause.await;
        let step = (world.now().as_millis() / STEP.as_millis()) as usize;
        if let Some(count) = counts.borrow_mut().get_mut(step) {
            *count += 1;
        }
    }
}

/// Returns a point for the count of each step, at the start of the step.
fn points(counts: &[u32]) -> Vec<(f64, f64)> {
    let times = (0..).map(|step| STEP * step).map(|at| at.as_secs_f64());
    times.zip(counts).map(|(at, count)| (at, f64::from(*count))).collect()
}

pub(super) fn chapter() -> Chapter {
    let mut table = Table::new(&["1000 clients", "most retries within 100 ms"]);
    let mut lines = Vec::new();
    for (index, (name, policy)) in jitters().into_iter().enumerate() {
        let counts = retries(policy);
        table.row(name, [format!("{}", counts.iter().max().unwrap_or(&0))]);
        lines.push(Line { name: name.to_owned(), pen: Pen::number(index), points: points(&counts) });
    }
    Chapter {
        title: "Retries after a simultaneous failure",
        text: "1000 clients fail at 0 and in each of their three retries, with exponential backoff from 1 s. Without jitter, \
               all of them retry in the same instant, after 1, 3 and 7 s.",
        tables: vec![table],
        plots: vec![Plot {
            title: "Retries of 1000 clients that failed at 0".to_owned(),
            axes: ("time, s", "retries per 100 ms"),
            x_axis: Axis::Linear,
            x: 0.0..LENGTH.as_secs_f64(),
            y: 0.0..300.0,
            lines,
        }],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn jitter_spreads_a_herd() {
        let jitters = BTreeMap::from(jitters());
        let highest = |name| retries(jitters[name]).into_iter().max().unwrap();
        assert_eq!(highest("no jitter"), CLIENTS);
        assert!(highest("equal jitter") < CLIENTS / 3 && highest("full jitter") < CLIENTS / 5);
    }
}
