//! The rows of a report.

use crate::observe::stats::report::numbers::Counts;
use crate::observe::stats::report::numbers::Numbers;
use crate::observe::stats::report::numbers::REASONS;
use crate::observe::stats::report::numbers::registered;
use crate::util::clock::system_time;
#[cfg(feature = "serde")]
use crate::util::utc::Utc;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Returns the statistics of all calls of this process so far, with a row for each annotated function and each name that
/// has been called.
///
/// The `Display` of the report is a table for a terminal, and [`to_html`](Report::to_html) is a page for a browser. With
/// the feature `serde`, the report implements `Serialize`.
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
    let registered = registered();
    for &(name, numbers) in &registered.names {
        rows.entry(name).or_insert_with(|| ReportRow::new(name)).add(numbers);
    }
    let (at, since) = (system_time(), registered.since);
    let uptime = at.zip(since).and_then(|(at, since)| at.duration_since(since).ok());
    Report { at, since, uptime: uptime.unwrap_or_default(), rows: rows.into_values().collect() }
}

/// The statistics of all calls so far. Returned by [`report()`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The time of the report. `None` if the host has no clock: on `wasm32-unknown-unknown` without the feature `tokio`.
    /// Serialized in UTC, to the second: `"2026-11-28T09:30:00Z"`.
    #[cfg_attr(feature = "serde", serde(serialize_with = "in_utc"))]
    pub at: Option<SystemTime>,
    /// The time of the first outcome of this process, from which the report counts. `None` if nothing has been called yet, or if the
    /// host has no clock. Serialized like `at`.
    #[cfg_attr(feature = "serde", serde(serialize_with = "in_utc"))]
    pub since: Option<SystemTime>,
    /// The time from `since` to `at`, by the clock of the system. Zero if one of them is `None`, or if the clock has been set
    /// back. Serialized as `uptime_seconds`, in seconds.
    #[cfg_attr(feature = "serde", serde(rename = "uptime_seconds", serialize_with = "in_seconds"))]
    pub uptime: Duration,
    /// The rows, sorted by name. Functions and loops with the same name share a row.
    pub rows: Vec<ReportRow>,
}

/// The statistics of all calls with one name.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ReportRow {
    /// The name in events.
    pub name: String,
    /// The number of calls whose first attempt has ended.
    pub calls: u64,
    /// The number of attempts that have ended, without those that a breaker rejected or whose value was [not ready](crate::NotReady).
    pub attempts: u64,
    /// The mean number of attempts for each call: the factor by which retries amplify the load. Below 1 if a breaker rejects calls.
    pub attempts_per_call: f64,
    /// The number of attempts that a breaker rejected.
    pub rejected: u64,
    /// The number of calls that succeeded with a retry.
    pub recovered: u64,
    /// The number of calls that returned their last failure to the caller.
    pub gave_up: u64,
    /// `gave_up` by reason, named as in [`GiveUp::as_str`](crate::event::GiveUp::as_str). Reasons that never occurred are
    /// left out.
    pub gave_up_by_reason: BTreeMap<&'static str, u64>,
    /// The number of calls that were dropped after their first failure and before their end.
    pub cancelled: u64,
    /// The sum of the delays of all retries, without those before a value is asked for again, and including delays that have not
    /// been waited for to their end. Serialized as `waited_seconds`, in seconds.
    #[cfg_attr(feature = "serde", serde(rename = "waited_seconds", serialize_with = "in_seconds"))]
    pub waited: Duration,
}

#[cfg(feature = "serde")]
fn in_seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

#[cfg(feature = "serde")]
fn in_utc<S: serde::Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(&Utc(*time)),
        None => serializer.serialize_none(),
    }
}

impl ReportRow {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            calls: 0,
            attempts: 0,
            attempts_per_call: 1.0,
            rejected: 0,
            recovered: 0,
            gave_up: 0,
            gave_up_by_reason: BTreeMap::new(),
            cancelled: 0,
            waited: Duration::ZERO,
        }
    }

    fn add(&mut self, numbers: &Numbers) {
        numbers.shards.iter().for_each(|counts| self.add_shard(counts));
        if self.calls > 0 {
            self.attempts_per_call = self.attempts as f64 / self.calls as f64;
        }
    }

    fn add_shard(&mut self, counts: &Counts) {
        let of = |count: &AtomicU64| count.load(Relaxed);
        let (at_once, recovered) = (of(&counts.at_once), of(&counts.recovered));
        self.calls += at_once + of(&counts.failed_calls);
        self.attempts += at_once + of(&counts.failed_attempts) + recovered;
        self.rejected += of(&counts.rejected);
        self.recovered += recovered;
        for (why, count) in REASONS.iter().zip(&counts.gave_up).filter(|(_, count)| of(count) > 0) {
            self.gave_up += of(count);
            *self.gave_up_by_reason.entry(why.as_str()).or_default() += of(count);
        }
        self.cancelled += of(&counts.cancelled);
        self.waited = self.waited.saturating_add(Duration::from_nanos(of(&counts.waited)));
    }
}
