//! What an executor is told about the call that it retries.

use core::fmt;
use core::time::Duration;

use crate::count::Own;
use crate::event::Observer;
use crate::sealed::Sealed;
use crate::sleep::Instant;
#[cfg(any(feature = "metrics", feature = "report"))]
use crate::tally::Counted;
use crate::{Failure, Policy};

/// What an executor asks of a call. The engine's cold half sees it as a trait object, so that it is compiled once.
///
/// Implemented by [`ByHand`] and by what the attribute and the tower policy make, and by nothing else.
pub trait Call: Sealed + Send + Sync {
    #[doc(hidden)]
    fn policy(&self) -> &Policy;

    #[doc(hidden)]
    fn name(&self) -> &str;

    #[doc(hidden)]
    fn observer(&self) -> Option<&dyn Observer>;

    #[doc(hidden)]
    fn notes(&self) -> Option<&Notes>;

    #[doc(hidden)]
    fn notes_mut(&mut self) -> Option<&mut Notes>;

    /// Where it is counted.
    #[doc(hidden)]
    #[cfg(any(feature = "metrics", feature = "report"))]
    fn counted(&self) -> Counted {
        Counted::by_name(self.name())
    }
}

/// What a call remembers where somebody may ask for it: a deadline, a custom or a decorrelated backoff, a body that
/// looks at its attempt.
#[derive(Clone, Copy, Debug)]
pub struct Notes {
    /// When the first attempt started.
    pub(crate) started: Instant,
    pub(crate) last_failure: Option<Failure>,
    /// The delay before the attempt that runs.
    pub(crate) previous: Duration,
}

impl Notes {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), last_failure: None, previous: Duration::ZERO }
    }
}

/// A call whose loop is written by hand: what [`Executor::new`](crate::Executor::new) makes.
#[derive(Clone, Copy)]
pub struct ByHand<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) name: &'a str,
    pub(crate) observer: Option<&'a dyn Observer>,
    /// Missing only where nobody can ask for them.
    pub(crate) notes: Option<Notes>,
    #[allow(dead_code, reason = "read where calls are counted")]
    pub(crate) tally: Own,
}

impl fmt::Debug for ByHand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, name, notes, observer: _, tally: _ } = self;
        f.debug_struct("ByHand")
            .field("policy", policy)
            .field("name", name)
            .field("notes", notes)
            .finish_non_exhaustive()
    }
}

impl Sealed for ByHand<'_> {}

impl Call for ByHand<'_> {
    fn policy(&self) -> &Policy {
        self.policy
    }
    fn name(&self) -> &str {
        self.name
    }
    fn observer(&self) -> Option<&dyn Observer> {
        self.observer
    }
    fn notes(&self) -> Option<&Notes> {
        self.notes.as_ref()
    }
    fn notes_mut(&mut self) -> Option<&mut Notes> {
        self.notes.as_mut()
    }
    #[cfg(any(feature = "metrics", feature = "report"))]
    #[inline(always)]
    fn counted(&self) -> Counted {
        self.tally.map_or_else(|| Counted::by_name(self.name), |tally| tally.counted())
    }
}
