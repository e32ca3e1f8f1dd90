//! What an executor is told about the call that it retries.

use core::fmt;
use core::time::Duration;

use crate::classify::class::Failure;
use crate::observe::event::Observer;
use crate::observe::stats::count::Own;
#[cfg(any(feature = "metrics", feature = "report"))]
use crate::observe::stats::tally::NamedStats;
use crate::policy::builder::Policy;
use crate::util::clock::Instant;
use crate::util::sealed::Sealed;

/// What an executor asks of a call. The engine's cold half sees it as a trait object, so that it is compiled once.
///
/// Implemented by [`ManualCall`] and by what the attribute and the tower policy make, and by nothing else.
pub trait Call: Sealed + Send + Sync {
    #[doc(hidden)]
    fn policy(&self) -> &Policy;

    #[doc(hidden)]
    fn name(&self) -> &str;

    #[doc(hidden)]
    fn observer(&self) -> Option<&dyn Observer>;

    #[doc(hidden)]
    fn history(&self) -> Option<&History>;

    #[doc(hidden)]
    fn history_mut(&mut self) -> Option<&mut History>;

    /// Where it is counted.
    #[doc(hidden)]
    #[cfg(any(feature = "metrics", feature = "report"))]
    fn counted(&self) -> NamedStats {
        NamedStats::by_name(self.name())
    }
}

/// What a call remembers where somebody may ask for it: a deadline, a custom or a decorrelated backoff, a body that
/// looks at its attempt.
#[derive(Clone, Copy, Debug)]
pub struct History {
    /// When the first attempt started.
    pub(crate) started: Instant,
    pub(crate) last_failure: Option<Failure>,
    /// The delay before the attempt that runs.
    pub(crate) previous: Duration,
}

impl History {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), last_failure: None, previous: Duration::ZERO }
    }
}

/// A call whose loop is written by hand: what [`Executor::new`](crate::Executor::new) makes.
#[derive(Clone, Copy)]
pub struct ManualCall<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) name: &'a str,
    pub(crate) observer: Option<&'a dyn Observer>,
    /// Missing only where nobody can ask for them.
    pub(crate) history: Option<History>,
    #[allow(dead_code, reason = "read where calls are counted")]
    pub(crate) tally: Own,
}

impl fmt::Debug for ManualCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, name, history, observer: _, tally: _ } = self;
        f.debug_struct("ByHand")
            .field("policy", policy)
            .field("name", name)
            .field("notes", history)
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
    #[cfg(any(feature = "metrics", feature = "report"))]
    #[inline(always)]
    fn counted(&self) -> NamedStats {
        self.tally.map_or_else(|| NamedStats::by_name(self.name), |tally| tally.counted())
    }
}
