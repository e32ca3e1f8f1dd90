//! Additions of the caller to the decision after a failure: another delay, and a hook before the wait.

use core::ops::ControlFlow;
use core::time::Duration;

use crate::policy::attempt::Attempt;

/// The source of the delay before a retry.
pub(crate) enum NextDelay<'h> {
    /// The schedule of the policy.
    Scheduled,
    /// A backoff function of the call, instead of the policy's backoff.
    Computed(&'h mut dyn FnMut(&Attempt) -> Duration),
    /// The caller has chosen it.
    Chosen(Duration),
}

/// A hook that is called with the attempt that has failed and the delay before the next one. `Break` ends the call.
pub(crate) type OnRetry<'h> = &'h mut dyn FnMut(&Attempt, Duration) -> ControlFlow<()>;

/// The additions of the caller to one decision.
pub(crate) struct Hooks<'h> {
    pub(crate) delay: NextDelay<'h>,
    pub(crate) on_retry: Option<OnRetry<'h>>,
}

impl Hooks<'_> {
    pub(crate) const fn none() -> Self {
        Self { delay: NextDelay::Scheduled, on_retry: None }
    }
}

impl NextDelay<'_> {
    /// Returns true if a function of the user computes the delay, which may take long and may ask for the start of the call.
    pub(crate) const fn is_computed(&self) -> bool {
        matches!(self, Self::Computed(_))
    }
}
