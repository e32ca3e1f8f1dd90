//! Cost of values that threads share, for a success with the first attempt: on one thread, and on two that share them.
//!
//! The throughput of two threads is 2 × that of one if they do not slow each other down, and below 1 × if they are slower
//! together than one alone. The two threads need two idle cores: if the first row is below 1.9 ×, other processes use one of
//! them, and the other rows mean nothing.

use std::future::ready;
use std::hint::{black_box, spin_loop};
use std::io;
use std::pin::pin;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use retry_runtime::{Breaker, Budget, Executor, Policy, retry};

use crate::calls::{Outcome, operation};
use crate::measure::poll_to_end;

const CALLS: u32 = 50_000;
const ROUNDS: usize = 61;

static FULL: Budget = Budget::new();
/// Successes give nothing back.
static NOT_FULL: Budget = Budget::new().success_gain(0);
/// Successes fill the bucket, but not within the benchmark.
static FILLING: Budget = Budget::new().capacity(u32::MAX).retry_cost(u16::MAX);
const RETRIES: u32 = 200;
static RATIO: Budget = Budget::ratio(20, 10, Duration::from_secs(10));
static BREAKER: Breaker = Breaker::new();

macro_rules! functions {
    ($($function:ident($($arguments:tt)*);)*) => {
        $(
            #[retry(attempts = 4, start = "10ms", max_delay = "1s" $($arguments)*)]
            async fn $function(x: u64) -> Outcome {
                operation::ready(x).await
            }
        )*
    };
}
functions! {
    plain();
    full(, budget = FULL);
    not_full(, budget = NOT_FULL);
    filling(, budget = FILLING);
    ratio(, budget = RATIO);
    breaker(, breaker = BREAKER);
}

/// Statistics are those of the function, which both threads call.
const STATISTICS: &str = match (cfg!(feature = "metrics"), cfg!(feature = "report")) {
    (false, false) => "nothing",
    (false, true) => "report",
    (true, false) => "metrics",
    (true, true) => "metrics and report",
};

/// The shared value, a success that uses it, and the lowest throughput of two threads that is a goal. Each row includes the
/// cost of the first.
type Row = (&'static str, fn(u64), Option<f64>);

const ROWS: &[Row] = &[
    (STATISTICS, |x| poll_to_end(plain(x)), if cfg!(feature = "report") { Some(1.8) } else { None }),
    ("budget, full", |x| poll_to_end(full(x)), None),
    ("budget, not full, successes give nothing", |x| poll_to_end(not_full(x)), None),
    ("budget, not full, successes give tokens", |x| poll_to_end(filling(x)), None),
    ("ratio budget", |x| poll_to_end(ratio(x)), Some(1.6)),
    ("breaker of the attribute", |x| poll_to_end(breaker(x)), Some(1.8)),
    ("breaker, `Breaker::call`", called, Some(1.8)),
];

fn called(x: u64) {
    let call = pin!(BREAKER.call(ready(io::Result::Ok(x))));
    let _ = black_box(call.poll(&mut Context::from_waker(Waker::noop())));
}

/// The second thread, which makes the calls of a row together with the first. It spins in between, because a thread that
/// starts or wakes may begin on the core of the first.
struct Second {
    /// The place of the row, or one of the constants below.
    row: AtomicUsize,
    /// The nanoseconds since `epoch` when it has ended the row.
    end: AtomicU64,
    epoch: Instant,
}

const WAITS: usize = usize::MAX;
const ENDS: usize = usize::MAX - 1;

impl Second {
    fn run(&self) {
        loop {
            match self.row.load(Acquire) {
                WAITS => spin_loop(),
                ENDS => return,
                row => {
                    make_calls(row);
                    self.end.store(self.epoch.elapsed().as_nanos() as u64, Relaxed);
                    self.row.store(WAITS, Release);
                }
            }
        }
    }

    /// Returns the nanoseconds until the last thread ends, for each of the [`CALLS`] that every thread makes.
    fn nanoseconds(&self, threads: usize, row: usize) -> f64 {
        let start = self.epoch.elapsed().as_nanos() as u64;
        self.row.store(if threads == 2 { row } else { WAITS }, Release);
        make_calls(row);
        let end = self.epoch.elapsed().as_nanos() as u64;
        while self.row.load(Acquire) != WAITS {
            spin_loop();
        }
        (end.max(self.end.load(Relaxed)) - start) as f64 / f64::from(CALLS)
    }
}

fn make_calls(row: usize) {
    let (_, success, _) = ROWS[row];
    (0..CALLS).for_each(|x| success(black_box(x.into())));
}

/// Takes tokens from the budgets that are not to be full.
fn take_tokens() {
    for policy in [const { Policy::new().budget(|| &NOT_FULL) }, const { Policy::new().budget(|| &FILLING) }] {
        // Enough that all successes of the benchmark do not give them back.
        for _ in 0..RETRIES {
            let mut retry = Executor::new(&policy);
            if let Ok(pause) = retry.pause(io::Error::from(io::ErrorKind::ConnectionReset)) {
                pause.block_with(|_| ());
                retry.attempt_blocking(|| ());
            }
        }
    }
}

/// Prints a line for each row: medians of interleaved rounds. The first round is a warm-up.
pub(crate) fn compare() {
    take_tokens();
    let second = Second { row: AtomicUsize::new(WAITS), end: AtomicU64::new(0), epoch: Instant::now() };
    let round = || (0..ROWS.len()).map(|row| [second.nanoseconds(1, row), second.nanoseconds(2, row)]).collect();
    let rounds: Vec<Vec<[f64; 2]>> = thread::scope(|scope| {
        scope.spawn(|| second.run());
        let rounds = (0..=ROUNDS).map(|_| round()).skip(1).collect();
        second.row.store(ENDS, Release);
        rounds
    });
    println!("\n{:<46}{:>16}{:>12}{:>11}   goal", "success that shares, ns", "1 thread", "2 threads", "throughput");
    for (place, (label, _, goal)) in ROWS.iter().enumerate() {
        let median = |of: fn([f64; 2]) -> f64| {
            let mut figures: Vec<f64> = rounds.iter().map(|round| of(round[place])).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        let (one, two, ratio) = (median(|[one, _]| one), median(|[_, two]| two), median(|[one, two]| 2.0 * one / two));
        let verdict = |least| format!("≥ {least:.2} ×    {}", if ratio >= least { "met" } else { "NOT MET" });
        let goal = goal.map_or(String::new(), verdict);
        println!("{}", format!("{label:<46}{one:>16.1}{two:>12.1}{ratio:>9.2} ×   {goal}").trim_end());
    }
}
