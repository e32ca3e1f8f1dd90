//! How it is measured.

use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::atomic::AtomicU32;
use std::task::{Context, Waker};
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};

use crate::callgrind::counted;
use crate::calls::{Calls, Outcome};
use crate::heap;

/// What is done again and again, to measure one of it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum What {
    Ready,
    Waiting,
    /// One failure, then a retry after 1 ms.
    Retry,
    /// One failure, then a retry without a delay.
    RetryAtOnce,
}

impl What {
    pub(crate) const ALL: [(&str, Self); 4] = [
        ("ready", Self::Ready),
        ("waiting", Self::Waiting),
        ("retry", Self::Retry),
        ("retry-at-once", Self::RetryAtOnce),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, what)| *what == self).unwrap().0
    }

    /// How often: a delay takes its time.
    fn times(self) -> u64 {
        match self {
            Self::Ready | Self::Waiting => 10_000,
            Self::Retry | Self::RetryAtOnce => 200,
        }
    }
}

/// Does it `times` times.
pub(crate) fn repeat<C: Calls>(what: What, times: u64) {
    match what {
        What::Ready => (0..times).for_each(|i| poll_to_end(C::ready(black_box(i)))),
        What::Waiting => (0..times).for_each(|i| poll_to_end(C::waiting(black_box(i)))),
        What::Retry => in_runtime(times, async |left| opaque(pin!(C::failing(left))).await),
        What::RetryAtOnce => in_runtime(times, async |left| opaque(pin!(C::at_once(left))).await),
    }
}

type Task<'a> = Pin<&'a mut dyn Future<Output = Outcome>>;

/// The future as a task sees it: pinned, of unknown type.
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

/// The instructions of one, by callgrind; `None` where there is no valgrind.
pub(crate) fn instructions<C: Calls>(what: What) -> Option<f64> {
    let (few, many) = (what.times() / 10, what.times());
    let of = |times| counted(&["count", what.name(), C::NAME, &u64::to_string(&times)]);
    // The difference, so that what comes before and after does not count.
    Some((of(many)? - of(few)?) / (many - few) as f64)
}

/// Allocations and bytes of one, without those of the runtime around it and of whatever is made only once.
pub(crate) fn allocations<C: Calls>(what: What) -> (f64, f64) {
    let of = |times| heap::during(|| repeat::<C>(what, times));
    let (_, few, many) = (of(1), of(10), of(40));
    let of_one = |few: usize, many: usize| (many as f64 - few as f64) / 30.0;
    (of_one(few.allocations, many.allocations), of_one(few.bytes, many.bytes))
}

/// The wall time of one, in nanoseconds.
pub(crate) fn nanoseconds<C: Calls>(what: What, times: u64) -> f64 {
    repeat::<C>(what, times);
    let start = Instant::now();
    repeat::<C>(what, times);
    start.elapsed().as_nanos() as f64 / times as f64
}

const TASKS: usize = 100_000;

/// What [`TASKS`] tasks cost.
pub(crate) struct Tasks {
    /// For all.
    pub(crate) milliseconds: f64,
    /// The most bytes at once, for each, in whole bytes: the runtime itself has some too.
    pub(crate) heap: f64,
}

/// All at once, and each fails three times.
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
