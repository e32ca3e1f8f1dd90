//! What a call through `#[retry]` costs beside the same loop written by hand, while nobody listens to its events:
//!
//! ```text
//! cargo bench -p retry-runtime
//! cargo bench -p retry-runtime --no-default-features --features macros,tokio
//! cargo bench -p retry-runtime --features serde                                # and what `POLICIES.name` costs
//! cargo bench -p retry-runtime --bench cost --features report
//! cargo bench -p retry-runtime --bench cost --features metrics
//! ```
//!
//! Instructions are counted by valgrind's callgrind, in which this program runs itself again; without valgrind those
//! lines are left out. Instructions, sizes and allocations are the same in every run; times are not.

mod callgrind;
mod calls;
mod counted;
mod heap;
mod measure;
mod options;
#[cfg(feature = "serde")]
mod policies;
mod table;

use std::sync::atomic::AtomicU32;

use calls::{ByHandInBlock, Calls, ManualCall, Ours, OursWithQuestion, operation};
use measure::{Tasks, What, allocations, instructions, nanoseconds, repeat, tasks};
use table::Goal::{Above, AtMost, Open, Times};
use table::{head, line, line_with_ratio};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["count", what, calls, times] => count(what, calls, times.parse().unwrap()),
        ["counted", name, recorder, times] => counted::repeat(name, recorder, times.parse().unwrap()),
        ["option", name, times] => options::repeat(name, times.parse().unwrap()),
        #[cfg(feature = "serde")]
        ["policy", name, times] => policies::repeat(name, times.parse().unwrap()),
        // `cargo test --benches` does not say this.
        [.., "--bench"] => compare(),
        _ => println!("cargo bench -p retry-runtime"),
    }
}

/// What runs in callgrind.
fn count(what: &str, calls: &str, times: u64) {
    let (_, what) = What::ALL.into_iter().find(|(name, _)| *name == what).unwrap();
    match calls {
        ManualCall::NAME => repeat::<ManualCall>(what, times),
        ByHandInBlock::NAME => repeat::<ByHandInBlock>(what, times),
        Ours::NAME => repeat::<Ours>(what, times),
        OursWithQuestion::NAME => repeat::<OursWithQuestion>(what, times),
        _ => unreachable!("there is no `{calls}`"),
    }
}

fn compare() {
    let tracing = if cfg!(feature = "tracing") { "with" } else { "without" };
    println!("retry-runtime {tracing} `tracing`; nobody listens");
    head("by hand");
    columns::<ManualCall, Ours>();
    many_tasks();
    head("by hand, with ?");
    columns::<ByHandInBlock, OursWithQuestion>();
    options::compare();
    #[cfg(feature = "serde")]
    policies::compare();
    counted::compare();
}

fn columns<H: Calls, O: Calls>() {
    counts::<H, O>();
    sizes::<H, O>();
    allocated::<H, O>();
    let at_once = (nanoseconds::<H>(What::RetryAtOnce, 50), nanoseconds::<O>(What::RetryAtOnce, 100_000));
    line("a retry without a delay, ns", at_once.0, at_once.1, AtMost(999.0));
}

fn counts<H: Calls, O: Calls>() {
    let success = Times(if cfg!(feature = "tracing") { 1.10 } else { 1.00 });
    for (label, what, goal) in [
        ("success at once, instructions", What::Ready, success),
        ("success after one wait, instructions", What::Waiting, success),
        ("one retry after 1 ms, instructions", What::Retry, Above(350.0)),
        ("one retry without a delay, instructions", What::RetryAtOnce, Open),
    ] {
        match instructions::<H>(what).zip(instructions::<O>(what)) {
            Some((by_hand, ours)) => line(label, by_hand, ours, goal),
            None => println!("{label:<46}not counted: `valgrind` is not installed"),
        }
    }
}

fn sizes<H: Calls, O: Calls>() {
    let (left, bare) = (AtomicU32::new(0), size_of_val(&operation::large(1)));
    for (label, by_hand, ours, most) in [
        ("future of a small operation, bytes", size_of_val(&H::waiting(1)), size_of_val(&O::waiting(1)), 0.75),
        ("future of a 1 KiB operation, bytes", size_of_val(&H::large(1)), size_of_val(&O::large(1)), 1.0),
        ("the same beside the bare operation, bytes", bare, size_of_val(&O::large(1)), 1.99),
        ("future with a reference, bytes", size_of_val(&H::failing(&left)), size_of_val(&O::failing(&left)), 1.0),
    ] {
        line(label, by_hand as f64, ours as f64, Times(most));
    }
}

fn allocated<H: Calls, O: Calls>() {
    for (label, what, most) in [("success", What::Waiting, 0.0), ("one retry after 1 ms", What::Retry, 1.0)] {
        let (by_hand, ours) = (allocations::<H>(what), allocations::<O>(what));
        line(&format!("{label}, allocations"), by_hand.0, ours.0, AtMost(most));
        line(&format!("{label}, heap bytes"), by_hand.1, ours.1, Open);
    }
}

/// Interleaved rounds, of which the first warms up.
fn many_tasks() {
    let rounds: Vec<[Tasks; 2]> = (0..8).map(|_| [tasks::<ManualCall>(), tasks::<Ours>()]).skip(1).collect();
    let median = |of: fn(&[Tasks; 2]) -> f64| {
        let mut figures: Vec<f64> = rounds.iter().map(of).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let (by_hand, ours) = (median(|round| round[0].milliseconds), median(|round| round[1].milliseconds));
    let ratio = median(|[by_hand, ours]| ours.milliseconds / by_hand.milliseconds);
    line_with_ratio("100,000 tasks that each fail three times, ms", by_hand, ours, ratio, Times(1.05));
    line("the same, heap bytes a task", median(|round| round[0].heap), median(|round| round[1].heap), AtMost(384.0));
}
