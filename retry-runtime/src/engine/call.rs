//! The call that an executor retries: its policy, name, observer and history.

use core::fmt;
use core::time::Duration;

use crate::classify::failure::Failure;
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

/// The past of a call, kept if something may ask for it: a deadline, a custom or a decorrelated backoff, or a body that looks at its
/// attempt.
#[derive(Clone, Copy, Debug)]
pub struct History {
    /// When the first attempt started.
    pub(crate) started: Instant,
    pub(crate) last_failure: Option<Failure>,
    /// The delay before the current attempt.
    pub(crate) previous_delay: Duration,
}

impl History {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), last_failure: None, previous_delay: Duration::ZERO }
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
    fn policy(&self) -> &Policy {
        self.policy
    }
    fn name(&self) -> &str {
        self.name
    }
    fn observer(&self) -> Option<&dyn Observer> {
        self.observer
    }
    fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }
    fn history_mut(&mut self) -> Option<&mut History> {
        self.history.as_mut()
    }
    #[inline(always)]
    fn stats(&self) -> NamedStats {
        of_loop(self.stats, self.name)
    }
}
