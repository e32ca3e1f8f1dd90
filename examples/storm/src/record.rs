//! Record of calls and requests over time.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

use super::scenario::RATE;

/// Calls, requests and successes in each tenth of a second.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    calls: Counts,
    requests: Counts,
    successes: Counts,
}

#[derive(Clone, Debug, Default)]
struct Counts(RefCell<Vec<u32>>);

impl Counts {
    fn add(&self, at: Duration) {
        let (mut counts, index) = (self.0.borrow_mut(), tenth(at));
        if counts.len() <= index {
            counts.resize(index + 1, 0);
        }
        counts[index] += 1;
    }

    fn sum(&self, span: Range<Duration>) -> f64 {
        let counts = self.0.borrow();
        let end = tenth(span.end).min(counts.len());
        counts[tenth(span.start).min(end)..end].iter().copied().map(f64::from).sum()
    }
}

const fn tenth(at: Duration) -> usize {
    (at.as_millis() / 100) as usize
}

const ALWAYS: Range<Duration> = Duration::ZERO..Duration::MAX;
const SECOND: Duration = Duration::from_secs(1);

impl Record {
    pub(super) fn call(&self, at: Duration) {
        self.calls.add(at);
    }

    pub(super) fn request(&self, at: Duration) {
        self.requests.add(at);
    }

    pub(super) fn success(&self, at: Duration) {
        self.successes.add(at);
    }

    /// Returns the number of requests per call.
    pub(super) fn load(&self, span: Range<Duration>) -> f64 {
        self.requests.sum(span.clone()) / self.calls.sum(span)
    }

    /// Returns the [`load`](Self::load) over the whole time.
    pub(super) fn whole_load(&self) -> f64 {
        self.load(ALWAYS)
    }

    /// Returns the share of calls that succeeded.
    pub(super) fn success_rate(&self) -> f64 {
        self.successes.sum(ALWAYS) / self.calls.sum(ALWAYS)
    }

    /// Returns the number of requests except the first of each call.
    #[cfg(test)]
    pub(super) fn retries(&self) -> f64 {
        self.requests.sum(ALWAYS) - self.calls.sum(ALWAYS)
    }

    /// Returns the number of requests in the second before `at`.
    pub(super) fn request_rate(&self, at: Duration) -> f64 {
        self.requests.sum(at.saturating_sub(SECOND)..at)
    }

    /// Returns the number of calls that succeeded in the second before `at`, as a share of the calls per second.
    pub(super) fn goodput(&self, at: Duration) -> f64 {
        self.successes.sum(at.saturating_sub(SECOND)..at) / f64::from(RATE)
    }

    /// Returns the time after `end` until a whole second has this goodput, or `None` if that does not happen before `limit`.
    pub(super) fn recovery(&self, end: Duration, goodput: f64, limit: Duration) -> Option<Duration> {
        let tenths = (0..).map(|tenth| Duration::from_millis(100) * tenth);
        tenths.take_while(|after| end + *after <= limit).find(|after| self.goodput(end + *after) >= goodput)
    }
}
