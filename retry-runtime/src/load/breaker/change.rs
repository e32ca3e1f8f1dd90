//! Changes of a breaker's state, and their report.

use core::fmt;
use core::time::Duration;

use super::gate::{BreakerState, Change};

/// A change of a breaker's state, as [`Breaker::on_change`](crate::Breaker::on_change) receives it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BreakerChange {
    /// The breaker's name.
    pub name: &'static str,
    /// The state before the change.
    pub from: BreakerState,
    /// The state after the change.
    pub to: BreakerState,
    /// The length of the pause that the server asked for, if `to` is [`BreakerState::Paused`]. At most the limit of
    /// [`Breaker::pause_on_retry_after`](crate::Breaker::pause_on_retry_after).
    pub pause: Option<Duration>,
}

impl BreakerChange {
    /// `pause` is that of the failure that made the change.
    pub(super) fn new(name: &'static str, Change { from, to }: Change, pause: Duration) -> Self {
        Self { name, from, to, pause: (to == BreakerState::Paused).then_some(pause) }
    }
}

impl BreakerState {
    /// The name of the state: `closed`, `open`, `half-open` or `paused`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::Paused => "paused",
        }
    }
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(feature = "tracing")]
pub(super) fn emit(change: &BreakerChange) {
    let BreakerChange { name, to, pause, .. } = *change;
    let state = to.as_str();
    match (to, pause) {
        (BreakerState::Open, _) => tracing::warn!(target: "retry", name, state, "the breaker opened"),
        (_, Some(pause)) => {
            tracing::warn!(target: "retry", name, state, "the breaker is paused for {pause:?}: the server asked to wait");
        }
        _ => tracing::info!(target: "retry", name, state, "the breaker is {to}"),
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) fn emit(_: &BreakerChange) {}
