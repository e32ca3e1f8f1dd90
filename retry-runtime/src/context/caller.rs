//! The deadline of the caller outside this process, such as the client of a service.
//!
//! It is a deadline like those of the calls around: retries end at the earlier one. But it was chosen outside, so a failure after it
//! says nothing about the service that was called.

use core::time::Duration;

use crate::context::thread::CONTEXT;
use crate::context::values::{OuterDeadline, TimeLimit};
use crate::util::clock::Instant;

/// The most by which a server ends before its caller because of a rounded header: they count whole milliseconds, rounded down.
pub(crate) const ROUNDING: Duration = Duration::from_millis(1);

/// True if the caller has a deadline, or the service has set one for its request.
#[inline(always)]
#[allow(dead_code, reason = "for requests, which are a feature")]
pub(crate) fn has_deadline() -> bool {
    CONTEXT.with(|context| context.caller.get().is_some())
}

/// The deadline of the caller, or the service's own for its request, even if that of a call around ends earlier.
#[cold]
pub(crate) fn deadline() -> Option<OuterDeadline> {
    let limit = CONTEXT.with(|context| context.caller.get())?;
    limit.deadline(limit.is_foreign)
}

/// True if the caller has stopped waiting, or stops before the time that the rounding of a header may take.
#[cold]
pub(crate) fn has_left() -> bool {
    let left = |deadline: OuterDeadline| deadline.at.saturating_duration_since(Instant::now());
    deadline().is_some_and(|deadline| deadline.is_caller && left(deadline) <= ROUNDING)
}

/// The limits that are set while something is polled on behalf of a caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallerLimits {
    /// The limit that ends first.
    pub(super) limit: TimeLimit,
    /// The caller's limit, or the service's own for the request. `None` if only calls have limits.
    pub(super) caller: Option<TimeLimit>,
}

impl CallerLimits {
    /// The limits around the code that is being polled.
    pub(super) fn current() -> Option<Self> {
        CONTEXT.with(|context| Some(Self { limit: context.limit.get()?, caller: context.caller.get() }))
    }

    /// The earlier ones of these limits and those around.
    pub(super) fn within(self, outer: Option<Self>) -> Self {
        let Some(outer) = outer else { return self };
        let caller = match self.caller {
            Some(caller) => Some(caller.or_earlier(outer.caller)),
            None => outer.caller,
        };
        Self { limit: outer.limit.or_earlier(Some(self.limit)), caller }
    }
}

/// A guard that sets limits, unless those around end earlier.
pub(crate) struct CallerScope {
    outer: Option<CallerLimits>,
}

impl CallerScope {
    pub(crate) fn new(limits: CallerLimits) -> Self {
        let outer = CallerLimits::current();
        set(Some(limits.within(outer)));
        Self { outer }
    }
}

impl Drop for CallerScope {
    fn drop(&mut self) {
        set(self.outer);
    }
}

fn set(limits: Option<CallerLimits>) {
    CONTEXT.with(|context| {
        context.limit.set(limits.map(|limits| limits.limit));
        context.caller.set(limits.and_then(|limits| limits.caller));
    });
}
