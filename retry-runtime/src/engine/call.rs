//! The call that an executor retries: its policy, name, observer and history.

use core::time::Duration;

use crate::classify::failure::Failure;
use crate::engine::state::CallState;
use crate::observe::event::Observer;
use crate::observe::stats::named::NamedStats;
use crate::policy::budget::Budget;
use crate::policy::builder::Policy;
use crate::util::clock::Instant;
use crate::util::sealed::Sealed;

/// The call as the engine sees it. Its cold half sees the call as a trait object, so that it is compiled once.
///
/// Implemented by [`ManualCall`](crate::executor::ManualCall), by the calls of the attribute and by those of the tower policy.
pub trait Call: Sealed + Send + Sync {
    #[doc(hidden)]
    fn policy(&self) -> &Policy;

    /// The budget that pays for the retries.
    #[doc(hidden)]
    #[inline(always)]
    fn budget(&self) -> Option<&Budget> {
        self.policy().budget.map(|budget| budget())
    }

    #[doc(hidden)]
    fn name(&self) -> &str;

    #[doc(hidden)]
    fn observer(&self) -> Option<&dyn Observer>;

    #[doc(hidden)]
    fn history(&self) -> Option<&History>;

    #[doc(hidden)]
    fn history_mut(&mut self) -> Option<&mut History>;

    /// True if each attempt is an HTTP request.
    #[doc(hidden)]
    fn sends_requests(&self) -> bool {
        false
    }

    /// The counters of the call.
    #[doc(hidden)]
    fn stats(&self) -> NamedStats;

    /// True if the call owns something that [`release`](Self::release) has to drop. Its state exists from the start then: the drop of a
    /// call without state looks at nothing.
    #[doc(hidden)]
    #[inline]
    fn is_owning(&self) -> bool {
        false
    }

    /// [`policy`](Self::policy) of a call that has no state, and so owns nothing.
    #[doc(hidden)]
    #[inline(always)]
    fn policy_without_state(&self) -> &Policy {
        self.policy()
    }

    /// [`budget`](Self::budget) of a call that has no state, and so owns nothing.
    #[doc(hidden)]
    #[inline(always)]
    fn budget_without_state(&self) -> Option<&Budget> {
        self.budget()
    }

    /// Drops what the call owns.
    #[doc(hidden)]
    #[inline]
    fn release(&mut self) {}
}

/// The past of a call, kept if something may ask for it: a deadline, a custom or a decorrelated backoff, or a body or a loop that
/// looks at its attempt.
#[derive(Clone, Copy, Debug)]
pub struct History {
    /// When the first attempt started. `None` until the clock is needed, in a loop that may look at its attempt but has no deadline.
    pub(crate) started: Option<Instant>,
    last: Option<Last>,
}

/// The previous attempt.
#[derive(Clone, Copy, Debug)]
struct Last {
    /// `None` if its value was not ready yet.
    failure: Option<Failure>,
    /// The delay between it and the current attempt.
    delay: Duration,
}

impl History {
    // Inlined, so that what is not set yet is not copied with it.
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self { started: Some(Instant::now()), ..Self::without_clock() }
    }

    /// The history of a hand-written loop, which may look at its attempts. Reads the clock only if the policy looks back.
    #[inline(always)]
    pub(crate) fn of_loop(policy: &Policy) -> Self {
        if policy.needs_history() { Self::new() } else { Self::without_clock() }
    }

    /// The history of a call whose clock has not started.
    #[inline(always)]
    pub(crate) const fn without_clock() -> Self {
        Self { started: None, last: None }
    }

    /// The previous attempt failed like this, or its value was not ready yet. The next one follows after this delay.
    pub(crate) fn note_retry(&mut self, failure: Option<Failure>, delay: Duration) {
        self.last = Some(Last { failure, delay });
    }

    /// The failure of the previous attempt.
    pub(crate) fn last_failure(&self) -> Option<Failure> {
        self.last.and_then(|last| last.failure)
    }

    /// The delay before the current attempt.
    pub(crate) fn previous_delay(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |last| last.delay)
    }

    /// Starts the clock, unless it runs or the call has been observed since an earlier time.
    #[inline(always)]
    pub(crate) fn start_clock(&mut self, state: &CallState) {
        if self.started.is_none() {
            self.started = Some(state.observed_since().unwrap_or_else(Instant::now));
        }
    }
}
