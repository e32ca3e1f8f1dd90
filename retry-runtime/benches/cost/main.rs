//! Cost of a call through `#[retry]`, compared with the same hand-written loop, without an observer:
//!
//! ```text
//! cargo bench -p retry-runtime
//! cargo bench -p retry-runtime --no-default-features --features macros,tokio
//! cargo bench -p retry-runtime --features serde                                # includes the cost of `POLICIES.name`
//! cargo bench -p retry-runtime --bench cost --features report
//! cargo bench -p retry-runtime --bench cost --features metrics
//! cargo bench -p retry-runtime --bench cost -- threads                         # only what threads share
//! cargo bench -p retry-runtime --bench cost -- blocks                          # only `retrying!`
//! cargo bench -p retry-runtime --bench cost --features http -- propagation     # only the headers for the next service
//! ```
//!
//! Valgrind's callgrind runs this program again to count the instructions. Without valgrind, those lines are omitted.
//! Instructions, sizes and allocations are the same in every run; times are not.

mod callgrind;
mod calls;
mod contention;
mod deadlines;
mod growth;
mod heap;
mod loops;
mod measure;
mod options;
#[cfg(feature = "serde")]
mod policies;
#[cfg(feature = "http")]
mod propagation;
mod statistics;
mod table;

use std::sync::atomic::AtomicU32;

use calls::{Block, BlockWithQuestion, Calls, HandWritten, HandWrittenInBlock, Ours, OursWithQuestion, operation};
use measure::{Case, Tasks, allocations, instructions, median, nanoseconds, repeat, tasks};
use table::Goal::{Above, AtMost, Open, Times};
use table::{head, line, line_with_ratio};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["count", case, calls, times] => count(case, calls, times.parse().unwrap()),
        ["statistics", name, recorder, times] => statistics::repeat(name, recorder, times.parse().unwrap()),
        ["deadline", case, calls, times] => deadlines::repeat(case, calls, times.parse().unwrap()),
        ["loop", case, times] => loops::repeat(case, times.parse().unwrap()),
        ["nested", depth, times] => growth::repeat(depth, times.parse().unwrap()),
        ["option", name, times] => options::repeat(name, times.parse().unwrap()),
        #[cfg(feature = "serde")]
        ["policy", name, times] => policies::repeat(name, times.parse().unwrap()),
        #[cfg(feature = "http")]
        ["headers", name, times] => propagation::repeat(name, times.parse().unwrap()),
        #[cfg(feature = "http")]
        [.., "propagation", "--bench"] => propagation::compare(),
        [.., "threads", "--bench"] => contention::compare(),
        [.., "blocks", "--bench"] => blocks(),
        // `cargo test --benches` does not pass this argument.
        [.., "--bench"] => compare(),
        _ => println!("cargo bench -p retry-runtime"),
    }
}

/// Runs a case, in callgrind.
fn count(case: &str, calls: &str, times: u64) {
    let (_, case) = Case::ALL.into_iter().find(|(name, _)| *name == case).unwrap();
    match calls {
        HandWritten::NAME => repeat::<HandWritten>(case, times),
        HandWrittenInBlock::NAME => repeat::<HandWrittenInBlock>(case, times),
        Ours::NAME => repeat::<Ours>(case, times),
        OursWithQuestion::NAME => repeat::<OursWithQuestion>(case, times),
        Block::NAME => repeat::<Block>(case, times),
        BlockWithQuestion::NAME => repeat::<BlockWithQuestion>(case, times),
        _ => unreachable!("unknown type `{calls}`"),
    }
}

fn compare() {
    let tracing = if cfg!(feature = "tracing") { "with" } else { "without" };
    println!("retry-runtime {tracing} `tracing`, without a subscriber or an observer");
    head("hand-written");
    columns::<HandWritten, Ours>();
    many_tasks();
    head("hand-written, ?");
    columns::<HandWrittenInBlock, OursWithQuestion>();
    blocks();
    loops::compare();
    deadlines::compare();
    growth::compare();
    options::compare();
    #[cfg(feature = "serde")]
    policies::compare();
    #[cfg(feature = "http")]
    propagation::compare();
    statistics::compare();
    contention::compare();
}

fn columns<H: Calls, O: Calls>() {
    counts::<H, O>();
    sizes::<H, O>();
    allocated::<H, O>();
    let at_once = (nanoseconds::<H>(Case::RetryAtOnce, 50), nanoseconds::<O>(Case::RetryAtOnce, 100_000));
    line("a retry without a delay, ns", at_once.0, at_once.1, AtMost(999.0));
}

/// `retrying!` costs what an annotated function costs.
fn blocks() {
    head("attribute");
    same_costs::<Ours, Block>("retrying!");
    same_costs::<OursWithQuestion, BlockWithQuestion>("retrying! with ?");
}

fn same_costs<A: Calls, B: Calls>(label: &str) {
    for (name, case) in [("success at once", Case::Ready), ("retry without a delay", Case::RetryAtOnce)] {
        if let Some((attribute, block)) = instructions::<A>(case).zip(instructions::<B>(case)) {
            line(&format!("{label}: {name}"), attribute, block, Times(1.0));
        }
    }
    let sizes = (size_of_val(&A::waiting(1)) as f64, size_of_val(&B::waiting(1)) as f64);
    line(&format!("{label}: future, bytes"), sizes.0, sizes.1, Times(1.0));
    line(
        &format!("{label}: one retry, allocations"),
        allocations::<A>(Case::Retry).0,
        allocations::<B>(Case::Retry).0,
        Times(1.0),
    );
}

fn counts<H: Calls, O: Calls>() {
    let success = Times(if cfg!(feature = "tracing") { 1.10 } else { 1.00 });
    for (label, case, goal) in [
        ("success at once, instructions", Case::Ready, success),
        ("success after one wait, instructions", Case::Waiting, success),
        ("one retry after 1 ms, instructions", Case::Retry, Above(350.0)),
        ("one retry without a delay, instructions", Case::RetryAtOnce, Open),
    ] {
        match instructions::<H>(case).zip(instructions::<O>(case)) {
            Some((hand_written, ours)) => line(label, hand_written, ours, goal),
            None => println!("{label:<46}not counted: `valgrind` is not installed"),
        }
    }
}

fn sizes<H: Calls, O: Calls>() {
    let (left, bare) = (AtomicU32::new(0), size_of_val(&operation::large(1)));
    for (label, hand_written, ours, most) in [
        ("future of a small operation, bytes", size_of_val(&H::waiting(1)), size_of_val(&O::waiting(1)), 0.75),
        ("future of a 1 KiB operation, bytes", size_of_val(&H::large(1)), size_of_val(&O::large(1)), 1.0),
        ("the same compared with the bare operation, bytes", bare, size_of_val(&O::large(1)), 1.99),
        ("future with a reference, bytes", size_of_val(&H::failing(&left)), size_of_val(&O::failing(&left)), 1.0),
    ] {
        line(label, hand_written as f64, ours as f64, Times(most));
    }
}

fn allocated<H: Calls, O: Calls>() {
    for (label, case, most) in [("success", Case::Waiting, 0.0), ("one retry after 1 ms", Case::Retry, 1.0)] {
        let (hand_written, ours) = (allocations::<H>(case), allocations::<O>(case));
        line(&format!("{label}, allocations"), hand_written.0, ours.0, AtMost(most));
        line(&format!("{label}, heap bytes"), hand_written.1, ours.1, Open);
    }
}

/// Runs interleaved rounds. The first round is a warm-up.
fn many_tasks() {
    let rounds: Vec<[Tasks; 2]> = (0..8).map(|_| [tasks::<HandWritten>(), tasks::<Ours>()]).skip(1).collect();
    let median = |of: fn(&[Tasks; 2]) -> f64| median(rounds.iter().map(of));
    let (hand_written, ours) = (median(|round| round[0].milliseconds), median(|round| round[1].milliseconds));
    let ratio = median(|[hand_written, ours]| ours.milliseconds / hand_written.milliseconds);
    line_with_ratio("100,000 tasks that each fail three times, ms", hand_written, ours, ratio, Times(1.05));
    line("the same, heap bytes a task", median(|round| round[0].heap), median(|round| round[1].heap), AtMost(384.0));
}
