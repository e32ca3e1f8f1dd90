//! What happened, over time.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

use super::scenario::RATE;

/// Counts over time, in tenths of a second.
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

    /// Requests for each call.
    pub(super) fn load(&self, span: Range<Duration>) -> f64 {
        self.requests.sum(span.clone()) / self.calls.sum(span)
    }

    /// [`load`](Self::load) over the whole time.
    pub(super) fn whole_load(&self) -> f64 {
        self.load(ALWAYS)
    }

    /// The share of calls that succeeded.
    pub(super) fn success_rate(&self) -> f64 {
        self.successes.sum(ALWAYS) / self.calls.sum(ALWAYS)
    }

    /// All requests but the first of each call.
    pub(super) fn retries(&self) -> f64 {
        self.requests.sum(ALWAYS) - self.calls.sum(ALWAYS)
    }

    /// Requests in the second before.
    pub(super) fn request_rate(&self, at: Duration) -> f64 {
        self.requests.sum(at.saturating_sub(SECOND)..at)
    }

    /// Calls that succeeded in the second before, as a share of those that come in a second.
    pub(super) fn goodput(&self, at: Duration) -> f64 {
        self.successes.sum(at.saturating_sub(SECOND)..at) / f64::from(RATE)
    }

    /// How long after `end` it takes until a whole second had this goodput. Nothing where that does not come before `limit`.
    pub(super) fn recovery(&self, end: Duration, goodput: f64, limit: Duration) -> Option<Duration> {
        let tenths = (0..).map(|tenth| Duration::from_millis(100) * tenth);
        tenths.take_while(|after| end + *after <= limit).find(|after| self.goodput(end + *after) >= goodput)
    }
}
