//! What became of all calls so far, by name.

mod page;
mod table;

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::engine::decide::Next;
use crate::observe::event::GiveUp;
use crate::observe::stats::tally::NamedStats;

/// What became of all calls of this process so far: a row for each annotated function and each name that has been called.
///
/// Its `Display` is a table for people, [`to_html`](Report::to_html) a page; with the feature `serde` it is `Serialize`.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use retry_runtime::stats::report;
/// use retry_runtime::retry;
///
/// #[retry(attempts = 3, start = "0s", name = "load")]
/// async fn load(id: u32) -> Result<u32, std::io::Error> {
///     Ok(id)
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(load(7)).unwrap();
///
/// let report = report();
/// assert_eq!((report.rows[0].name.as_str(), report.rows[0].calls), ("load", 1));
/// println!("{report}");
/// # }
/// ```
#[must_use]
pub fn report() -> Report {
    let mut rows = BTreeMap::<_, ReportRow>::new();
    for counted in lock().iter() {
        rows.entry(counted.name).or_insert_with(|| ReportRow::new(counted.name)).add(&counted.counts.numbers);
    }
    Report { rows: rows.into_values().collect() }
}

/// What became of all calls so far. Made by [`report()`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// By name. Functions and loops of one name are one row.
    pub rows: Vec<ReportRow>,
}

/// What became of the calls of one name.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ReportRow {
    /// The name in events.
    pub name: String,
    /// Calls whose first attempt had its outcome.
    pub calls: u64,
    /// Attempts that had an outcome.
    pub attempts: u64,
    /// Attempts for each call, at least 1: how much the retries amplify the load.
    pub amplification: f64,
    /// Calls that succeeded with a retry.
    pub recovered: u64,
    /// Calls that gave their last failure back to the caller.
    pub gave_up: u64,
    /// The same by why, in the words of [`GiveUp::as_str`]; reasons that there were none of are left out.
    pub gave_up_by_reason: BTreeMap<&'static str, u64>,
    /// Calls that were dropped after their first failure and before their end.
    pub cancelled: u64,
    /// All delays that were decided on, as seconds in `serde`.
    #[cfg_attr(feature = "serde", serde(rename = "waited_seconds", serialize_with = "in_seconds"))]
    pub waited: Duration,
}

#[cfg(feature = "serde")]
fn in_seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl ReportRow {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            calls: 0,
            attempts: 0,
            amplification: 1.0,
            recovered: 0,
            gave_up: 0,
            gave_up_by_reason: BTreeMap::new(),
            cancelled: 0,
            waited: Duration::ZERO,
        }
    }

    fn add(&mut self, numbers: &Numbers) {
        let of = |count: &AtomicU64| count.load(Relaxed);
        let (at_once, recovered) = (of(&numbers.at_once), of(&numbers.recovered));
        self.calls += at_once + of(&numbers.failed_calls);
        self.attempts += at_once + of(&numbers.failed_attempts) + recovered;
        self.recovered += recovered;
        for (why, count) in REASONS.iter().zip(&numbers.gave_up).filter(|(_, count)| of(count) > 0) {
            self.gave_up += of(count);
            *self.gave_up_by_reason.entry(why.as_str()).or_default() += of(count);
        }
        self.cancelled += of(&numbers.cancelled);
        self.waited = self.waited.saturating_add(Duration::from_nanos(of(&numbers.waited)));
        if self.calls > 0 {
            self.amplification = self.attempts as f64 / self.calls as f64;
        }
    }
}

/// Those that have been called. The order is that of their first outcomes.
static REGISTERED: Mutex<Vec<NamedStats>> = Mutex::new(Vec::new());

fn lock() -> std::sync::MutexGuard<'static, Vec<NamedStats>> {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is counted. Calls and attempts are sums, for a success to count once.
pub(crate) struct Numbers {
    at_once: AtomicU64,
    failed_calls: AtomicU64,
    failed_attempts: AtomicU64,
    recovered: AtomicU64,
    gave_up: [AtomicU64; REASONS.len()],
    cancelled: AtomicU64,
    /// In nanoseconds: 584 years of them.
    waited: AtomicU64,
    is_registered: AtomicBool,
}

impl Numbers {
    pub(crate) const fn new() -> Self {
        Self {
            at_once: AtomicU64::new(0),
            failed_calls: AtomicU64::new(0),
            failed_attempts: AtomicU64::new(0),
            recovered: AtomicU64::new(0),
            gave_up: [const { AtomicU64::new(0) }; REASONS.len()],
            cancelled: AtomicU64::new(0),
            waited: AtomicU64::new(0),
            is_registered: AtomicBool::new(false),
        }
    }
}

/// A reason's place is its place among the numbers.
const REASONS: [GiveUp; 9] = [
    GiveUp::Exhausted,
    GiveUp::Permanent,
    GiveUp::Deadline,
    GiveUp::ServerDelay(Duration::ZERO),
    GiveUp::Nested,
    GiveUp::Budget,
    GiveUp::NotIdempotent,
    GiveUp::BodyUsedUp,
    GiveUp::Disabled,
];

const fn place(why: GiveUp) -> usize {
    match why {
        GiveUp::Exhausted => 0,
        GiveUp::Permanent => 1,
        GiveUp::Deadline => 2,
        GiveUp::ServerDelay(_) => 3,
        GiveUp::Nested => 4,
        GiveUp::Budget => 5,
        GiveUp::NotIdempotent => 6,
        GiveUp::BodyUsedUp => 7,
        GiveUp::Disabled => 8,
    }
}

#[inline(always)]
pub(crate) fn at_once(counted: NamedStats) {
    if counted.counts.numbers.at_once.fetch_add(1, Relaxed) == 0 {
        register(counted);
    }
}

pub(crate) fn recovered(counted: NamedStats) {
    counted.counts.numbers.recovered.fetch_add(1, Relaxed);
}

pub(crate) fn failed(counted: NamedStats, attempts: u32, next: Next) {
    let numbers = &counted.counts.numbers;
    register(counted);
    numbers.failed_attempts.fetch_add(1, Relaxed);
    if attempts == 1 {
        numbers.failed_calls.fetch_add(1, Relaxed);
    }
    match next {
        Ok((delay, _)) => wait(&numbers.waited, delay),
        Err(why) => {
            numbers.gave_up[place(why)].fetch_add(1, Relaxed);
        }
    }
}

pub(crate) fn cancelled(counted: NamedStats) {
    counted.counts.numbers.cancelled.fetch_add(1, Relaxed);
}

fn wait(waited: &AtomicU64, delay: Duration) {
    let delay = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
    // It never fails.
    let _ = waited.fetch_update(Relaxed, Relaxed, |waited| Some(waited.saturating_add(delay)));
}

#[cold]
#[inline(never)]
fn register(counted: NamedStats) {
    let is_registered = &counted.counts.numbers.is_registered;
    if !is_registered.load(Relaxed) && !is_registered.swap(true, Relaxed) {
        lock().push(counted);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        table::write(&self.rows, f)
    }
}
