//! Cost that must not grow: of a task among many others, and of a call inside others.

use std::hint::black_box;
use std::sync::atomic::AtomicU32;
use std::time::Instant;

use retry_runtime::retry;

use crate::callgrind::count_instructions;
use crate::calls::{Calls, Ours, Outcome, operation};
use crate::heap;
use crate::measure::{current_thread, median, poll_to_end};

macro_rules! nested {
    ($($outer:ident($inner:path);)*) => {$(
        #[retry(attempts = 4)]
        async fn $outer(x: u64) -> Outcome {
            $inner(x).await
        }
    )*};
}
nested! {
    one(operation::ready);
    two(one);
    three(two);
    four(three);
    five(four);
    six(five);
    seven(six);
    eight(seven);
    nine(eight);
    ten(nine);
}

pub(crate) fn repeat(depth: &str, times: u64) {
    let calls = 0..times;
    match depth {
        "1" => calls.for_each(|i| poll_to_end(one(black_box(i)))),
        "2" => calls.for_each(|i| poll_to_end(two(black_box(i)))),
        "10" => calls.for_each(|i| poll_to_end(ten(black_box(i)))),
        _ => unreachable!("unknown depth `{depth}`"),
    }
}

/// Prints a line for each number of tasks, and one for each depth.
pub(crate) fn compare() {
    println!("\n{:<46}{:>14}{:>14}", "three retries without a delay", "ns a task", "heap bytes");
    for concurrent in [1, 1_000, 100_000] {
        let rounds: Vec<(f64, f64)> = (0..8).map(|_| tasks(concurrent)).skip(1).collect();
        let (time, heap) = (median(rounds.iter().map(|round| round.0)), median(rounds.iter().map(|round| round.1)));
        println!("{:<46}{time:>14.0}{heap:>14.0}", format!("{concurrent} tasks at the same time"));
    }
    if let Some(((one, two), ten)) = instructions("1").zip(instructions("2")).zip(instructions("10")) {
        println!("\n{:<46}{:>14}{:>14}", "success at once, nested calls", "instructions", "the last call");
        for (depth, total, last) in [(1, one, one), (2, two, two - one), (10, ten, (ten - two) / 8.0)] {
            println!("{:<46}{total:>14.0}{last:>14.0}", format!("{depth} deep"));
        }
    }
}

const TASKS: usize = 100_000;

/// Runs [`TASKS`] tasks, this many at a time. Returns the nanoseconds and the peak of live bytes of one task.
fn tasks(concurrent: usize) -> (f64, f64) {
    let runtime = current_thread();
    let mut handles = Vec::with_capacity(concurrent);
    let mut batch = || {
        runtime.block_on(async {
            handles.extend((0..concurrent).map(|_| tokio::spawn(async { Ours::at_once(&AtomicU32::new(3)).await })));
            for handle in handles.drain(..) {
                handle.await.unwrap().unwrap();
            }
        });
    };
    // Not measured: what the runtime itself allocates for so many tasks.
    batch();
    let heap = heap::during(&mut batch).peak as f64 / concurrent as f64;
    let start = Instant::now();
    (0..TASKS / concurrent).for_each(|_| batch());
    (start.elapsed().as_nanos() as f64 / TASKS as f64, heap)
}

fn instructions(depth: &str) -> Option<f64> {
    let of = |times: u64| count_instructions(&["nested", depth, &times.to_string()]);
    // Take the difference, so that the work before and after the calls does not count.
    Some((of(11_000)? - of(1_000)?) / 10_000.0)
}
