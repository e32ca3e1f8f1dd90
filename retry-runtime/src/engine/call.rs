//! The call that an executor retries: its policy, name, observer and history.

use core::fmt;
use core::time::Duration;

use crate::classify::failure::Failure;
use crate::engine::state::CallState;
use crate::observe::event::Observer;
use crate::observe::stats::named::{NamedStats, OwnStats, of_loop};
use crate::policy::budget::Budget;
use crate::policy::builder::Policy;
use crate::util::clock::Instant;
use crate::util::sealed::Sealed;

/// The call as the engine sees it. Its cold half sees the call as a trait object, so that it is compiled once.
///
/// Implemented by [`ManualCall`], by the calls of the attribute and by those of the tower policy.
pub trait Call: Sealed + Send + Sync {
    #[doc(hidden)]
    fn policy(&self) -> &Policy;

    /// The budget of the policy.
    #[doc(hidden)]
    #[inline(always)]
    fn budget(&self) -> Option<fn() -> &'static Budget> {
        self.policy().budget
    }

    #[doc(hidden)]
    fn name(&self) -> &str;

    #[doc(hidden)]
    fn observer(&self) -> Option<&dyn Observer>;

    #[doc(hidden)]
    fn history(&self) -> Option<&History>;

    #[doc(hidden)]
    fn history_mut(&mut self) -> Option<&mut History>;

    /// The counters of the call.
    #[doc(hidden)]
    fn stats(&self) -> NamedStats;
}

/// The past of a call, kept if something may ask for it: a deadline, a custom or a decorrelated backoff, or a body or a loop that looks at its
/// attempt.
#[derive(Clone, Copy, Debug)]
pub struct History {
    /// When the first attempt started. `None` until the clock is needed, in a loop that may look at its attempt but has no deadline.
    pub(crate) started: Option<Instant>,
    last: Option<Last>,
}

/// The last failure that was retried.
#[derive(Clone, Copy, Debug)]
struct Last {
    failure: Failure,
    /// The delay between the failure and the current attempt.
    delay: Duration,
}

impl History {
    // Inlined, so that what is not set yet is not copied with it.
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self { started: Some(Instant::now()), ..Self::without_clock() }
    }

    /// The history of a call whose clock has not started.
    #[inline(always)]
    pub(crate) const fn without_clock() -> Self {
        Self { started: None, last: None }
    }

    /// The previous attempt failed like this, and is retried after this delay.
    pub(crate) fn note_retry(&mut self, failure: Failure, delay: Duration) {
        self.last = Some(Last { failure, delay });
    }

    /// The failure of the previous attempt.
    pub(crate) fn last_failure(&self) -> Option<Failure> {
        self.last.map(|last| last.failure)
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

/// The call of a hand-written loop. Made by [`Executor::new`](crate::Executor::new).
#[derive(Clone, Copy)]
pub struct ManualCall<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) name: &'a str,
    pub(crate) observer: Option<&'a dyn Observer>,
    /// Missing only if nothing can ask for it.
    pub(crate) history: Option<History>,
    pub(crate) stats: OwnStats,
}

impl fmt::Debug for ManualCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, name, history, observer: _, stats: _ } = self;
        f.debug_struct("ManualCall")
            .field("policy", policy)
            .field("name", name)
            .field("history", history)
            .finish_non_exhaustive()
    }
}

impl Sealed for ManualCall<'_> {}

impl Call for ManualCall<'_> {
    #[inline(always)]
    fn policy(&self) -> &Policy {
        self.policy
    }
    fn name(&self) -> &str {
        self.name
    }
    #[inline(always)]
    fn observer(&self) -> Option<&dyn Observer> {
        self.observer
    }
    #[inline(always)]
    fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }
    #[inline(always)]
    fn history_mut(&mut self) -> Option<&mut History> {
        self.history.as_mut()
    }
    #[inline(always)]
    fn stats(&self) -> NamedStats {
        of_loop(self.stats, self.name)
    }
}
