//! The classification of one outcome, and the verdict of a condition on it.

use core::time::Duration;

use crate::classify::class::Class;
use crate::classify::connection::Via;
use crate::classify::failure::Failure;

/// The failure of a success that `on_ok` retries.
pub(crate) const REFUSED: Failure = Failure::new(Class::Unknown);

/// The classification of an outcome: the failures that its two sides describe, and the results of the user's predicates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Classification {
    /// The failure that a value (the `Ok` side) describes, if its type is recognized. Its class may be [`Class::Success`].
    pub(crate) value: Option<Failure>,
    /// The failure that an error describes.
    pub(crate) error: Option<Failure>,
    /// True if `on_ok` asks for another attempt.
    pub(crate) retried_by_on_ok: bool,
    /// The result of an `on_error` that is a predicate.
    pub(crate) decided: Option<bool>,
    /// True if `until` says that the value, a success otherwise, is not ready yet.
    pub(crate) not_ready: bool,
}

impl Classification {
    #[doc(hidden)]
    #[inline(always)]
    pub const fn new(value: Option<Failure>, error: Option<Failure>) -> Self {
        Self { value, error, retried_by_on_ok: false, decided: None, not_ready: false }
    }

    /// Adds the result of `on_ok`.
    #[inline(always)]
    pub(crate) const fn on_ok(self, retried_by_on_ok: bool) -> Self {
        Self { retried_by_on_ok, ..self }
    }

    /// Says that the value is not ready yet.
    #[inline(always)]
    pub(crate) const fn not_ready(self) -> Self {
        Self { not_ready: true, ..self }
    }

    /// Adds the result of an `on_error` that is a predicate.
    #[inline(always)]
    pub(crate) const fn on_error(self, decided: Option<bool>) -> Self {
        Self { decided, ..self }
    }

    pub(crate) fn via(&self) -> Via {
        self.value.map_or(Via::NONE, |value| value.via())
    }

    /// Adds the delay that `server_delay` has read from the value. It replaces the delay of the value's own `Retryable`.
    pub(crate) fn server_delay(self, delay: Option<Duration>) -> Self {
        let Some(delay) = delay else { return self };
        Self { value: Some(self.value.unwrap_or(REFUSED).with_server_delay(delay)), ..self }
    }

    /// Adds the delay that `error_delay` has read from the error. It replaces the delay of the error's own `Retryable`.
    pub(crate) fn error_delay(self, delay: Option<Duration>) -> Self {
        let Some(delay) = delay else { return self };
        Self { error: self.error.map(|error| error.with_server_delay(delay)), ..self }
    }

    /// The status of the outcome, if it has one.
    #[cfg(feature = "reqwest")]
    pub(crate) fn status(&self) -> Option<u16> {
        self.failure().and_then(|failure| failure.status())
    }

    /// Marks the failures as those of a request that was not redirected.
    #[cfg(feature = "reqwest")]
    pub(crate) fn not_redirected(self) -> Self {
        Self { value: self.value.map(Failure::not_redirected), error: self.error.map(Failure::not_redirected), ..self }
    }

    /// The failure of the side that the outcome has. Its class may be [`Class::Success`].
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.error.or(self.value)
    }

    /// Returns true if the service may be at fault: a failure that is neither permanent nor a success.
    pub(crate) fn is_fault(&self) -> bool {
        self.failure().is_some_and(|failure| matches!(failure.class(), Class::Transient | Class::Unknown))
    }

    pub(crate) const fn is_error(&self) -> bool {
        self.error.is_some()
    }
}

/// The verdict of a condition on a classified outcome. Returned by [`verdict!`](crate::verdict).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// A success.
    Done,
    /// A failure that is not worth another attempt.
    GiveUp(Failure),
    /// A failure that is worth another attempt. If the server wants none ([`Failure::no_retry`]), the executor nevertheless makes none.
    Retry(Failure),
    /// A success that is not the final one: `until` says that the value is not ready yet. The failure holds what the value
    /// says about itself, such as the delay that the server asks for.
    NotReady(Failure),
    /// A failure that is worth another attempt, but resending the request is impossible or not safe, for this reason.
    NotSafe(Failure, NotSafe),
}

/// The reason why a failure that is worth another attempt must not be retried. The call gives up with the
/// [`GiveUp`](crate::event::GiveUp) of the same name.
// A type separate from the event's `GiveUp`, which is several times as large: every failure passes a verdict on, and a
// failing call with the larger type costs 50 more instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotSafe {
    /// The server may have processed the request, and its method is not safe to send twice.
    NotIdempotent,
    /// The body of the request is a stream that has been consumed, so the request cannot be resent.
    BodyUsedUp,
}

impl Verdict {
    /// The failure; `None` for a success.
    #[must_use]
    pub const fn failure(&self) -> Option<Failure> {
        match self {
            Self::Done => None,
            Self::GiveUp(failure) | Self::Retry(failure) | Self::NotReady(failure) | Self::NotSafe(failure, _) => {
                Some(*failure)
            }
        }
    }
}
