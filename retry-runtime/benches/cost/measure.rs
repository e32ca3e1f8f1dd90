//! Measurements.

use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::atomic::AtomicU32;
use std::task::{Context, Waker};
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};

use crate::callgrind::count_instructions;
use crate::calls::{Calls, Outcome};
use crate::heap;

/// A measured case, which is repeated to obtain the cost of a single call.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Case {
    Ready,
    Waiting,
    /// One failure, then a retry after 1 ms.
    Retry,
    /// One failure, then a retry without a delay.
    RetryAtOnce,
}

impl Case {
    pub(crate) const ALL: [(&str, Self); 4] = [
        ("ready", Self::Ready),
        ("waiting", Self::Waiting),
        ("retry", Self::Retry),
        ("retry-at-once", Self::RetryAtOnce),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, case)| *case == self).unwrap().0
    }

    /// Returns the number of repetitions, which is smaller for cases with a delay.
    fn times(self) -> u64 {
        match self {
            Self::Ready | Self::Waiting => 10_000,
            Self::Retry | Self::RetryAtOnce => 200,
        }
    }
}

/// Repeats a case.
pub(crate) fn repeat<C: Calls>(case: Case, times: u64) {
    match case {
        Case::Ready => (0..times).for_each(|i| poll_to_end(C::ready(black_box(i)))),
        Case::Waiting => (0..times).for_each(|i| poll_to_end(C::waiting(black_box(i)))),
        Case::Retry => in_runtime(times, async |left| opaque(pin!(C::failing(left))).await),
        Case::RetryAtOnce => in_runtime(times, async |left| opaque(pin!(C::at_once(left))).await),
    }
}

type Task<'a> = Pin<&'a mut dyn Future<Output = Outcome>>;

/// Hides the type of a future from the compiler, as in a task.
#[inline(always)]
fn opaque(call: Task<'_>) -> Task<'_> {
    black_box(call)
}

#[inline(always)]
pub(crate) fn poll_to_end(call: impl Future<Output = Outcome>) {
    let mut cx = Context::from_waker(Waker::noop());
    let call = pin!(call);
    let mut call = opaque(call);
    while black_box(call.as_mut().poll(&mut cx)).is_pending() {}
}

fn in_runtime(times: u64, call: impl AsyncFn(&AtomicU32) -> Outcome) {
    current_thread().block_on(async {
        for _ in 0..times {
            call(&AtomicU32::new(black_box(1))).await.unwrap();
        }
    });
}

pub(crate) fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// Returns the instructions of one call, counted by callgrind, or `None` if valgrind is not installed.
pub(crate) fn instructions<C: Calls>(case: Case) -> Option<f64> {
    let (few, many) = (case.times() / 10, case.times());
    let of = |times| count_instructions(&["count", case.name(), C::NAME, &u64::to_string(&times)]);
    // Take the difference, so that the work before and after the calls does not count.
    Some((of(many)? - of(few)?) / (many - few) as f64)
}

/// Returns the allocations and bytes of one call, without those of the runtime and without one-time allocations.
pub(crate) fn allocations<C: Calls>(case: Case) -> (f64, f64) {
    let of = |times| heap::during(|| repeat::<C>(case, times));
    let (_, few, many) = (of(1), of(10), of(40));
    let of_one = |few: usize, many: usize| (many as f64 - few as f64) / 30.0;
    (of_one(few.allocations, many.allocations), of_one(few.bytes, many.bytes))
}

/// Returns the wall time of one call in nanoseconds.
pub(crate) fn nanoseconds<C: Calls>(case: Case, times: u64) -> f64 {
    repeat::<C>(case, times);
    let start = Instant::now();
    repeat::<C>(case, times);
    start.elapsed().as_nanos() as f64 / times as f64
}

/// Returns the wall times of `times` calls in two ways, each as nanoseconds of one call, and their ratio. They are the medians of
/// interleaved rounds, because a single round depends on what else the machine does.
pub(crate) fn compared(times: u64, first: impl Fn(u64), second: impl Fn(u64)) -> (f64, f64, f64) {
    let of = |calls: &dyn Fn(u64)| {
        let start = Instant::now();
        calls(times);
        start.elapsed().as_nanos() as f64 / times as f64
    };
    let rounds: Vec<(f64, f64)> = (0..32).map(|_| (of(&first), of(&second))).skip(1).collect();
    let median = |of: fn(&(f64, f64)) -> f64| median(rounds.iter().map(of));
    (median(|round| round.0), median(|round| round.1), median(|round| round.1 / round.0))
}

pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

const TASKS: usize = 100_000;

/// The cost of [`TASKS`] tasks.
pub(crate) struct Tasks {
    /// The time of all tasks.
    pub(crate) milliseconds: f64,
    /// The peak of live bytes per task, rounded down because the runtime itself has some too.
    pub(crate) heap: f64,
}

/// Runs all tasks concurrently. Each task fails three times.
pub(crate) fn tasks<C: Calls>() -> Tasks {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let mut handles = Vec::with_capacity(TASKS);
    let start = Instant::now();
    let used = heap::during(|| {
        runtime.block_on(async {
            handles.extend((0..TASKS).map(|_| tokio::spawn(async { C::scattered(&AtomicU32::new(3)).await })));
            for handle in handles {
                handle.await.unwrap().unwrap();
            }
        });
    });
    Tasks { milliseconds: start.elapsed().as_secs_f64() * 1e3, heap: (used.peak / TASKS) as f64 }
}
