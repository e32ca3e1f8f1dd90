//! The classification of one outcome, and the verdict of a condition on it.

use core::time::Duration;

use crate::classify::class::Class;
use crate::classify::connection::Via;
use crate::classify::failure::Failure;

/// What is known of a success that `on_ok` wants tried again.
pub(crate) const REFUSED: Failure = Failure::new(Class::Unknown);

/// What classification found out about an outcome.
#[derive(Clone, Copy, Debug, Default)]
pub struct Classification {
    /// What an answer (the `Ok` side) says of itself, where its type can.
    pub(crate) value: Option<Failure>,
    /// What is known of an error.
    pub(crate) error: Option<Failure>,
    /// `on_ok` wants another attempt.
    pub(crate) refused: bool,
    /// What `on_error` says, where it is a predicate.
    pub(crate) decided: Option<bool>,
}

impl Classification {
    #[doc(hidden)]
    #[inline(always)]
    pub const fn new(value: Option<Failure>, error: Option<Failure>) -> Self {
        Self { value, error, refused: false, decided: None }
    }

    /// With what `on_ok` says.
    #[inline(always)]
    pub const fn on_ok(self, refused: bool) -> Self {
        Self { refused, ..self }
    }

    /// With what an `on_error` that is a predicate says.
    #[inline(always)]
    pub const fn on_error(self, decided: Option<bool>) -> Self {
        Self { decided, ..self }
    }

    /// The connection that the answer came over.
    pub(crate) fn via(&self) -> Via {
        self.value.map_or(Via::NONE, |value| value.via())
    }

    /// With the delay that `server_delay` has read from the answer; it replaces the answer's own.
    pub(crate) fn server_delay(self, delay: Option<Duration>) -> Self {
        let Some(delay) = delay else { return self };
        Self { value: Some(self.value.unwrap_or(REFUSED).with_server_delay(delay)), ..self }
    }

    /// The status of the outcome, if it has one.
    #[cfg(feature = "reqwest")]
    pub(crate) fn status(&self) -> Option<u16> {
        self.error.or(self.value).and_then(|failure| failure.status())
    }

    /// Those of a request that was not redirected.
    #[cfg(feature = "reqwest")]
    pub(crate) fn not_redirected(self) -> Self {
        Self { value: self.value.map(Failure::not_redirected), error: self.error.map(Failure::not_redirected), ..self }
    }

    /// Whether it may well be the service's fault.
    pub(crate) fn is_fault(&self) -> bool {
        self.error.or(self.value).is_some_and(|failure| matches!(failure.class(), Class::Transient | Class::Unknown))
    }

    pub(crate) const fn is_error(&self) -> bool {
        self.error.is_some()
    }
}

/// What classification and condition together say of an outcome. Given by [`verdict!`](crate::verdict).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// A success: nothing to try again.
    Done,
    /// A failure that another attempt would not mend.
    GiveUp(Failure),
    /// A failure that is worth another attempt.
    Retry(Failure),
    /// A failure that is worth another attempt, but there must not be one: why.
    NotSafe(Failure, NotSafe),
}

/// Why a failure that is worth another attempt must not have one.
// Apart from `GiveUp`, which is several times as large: every failure carries a verdict around.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotSafe {
    /// The server may have processed the request, and its method is not one that is safe to send twice.
    NotIdempotent,
    /// The body of the request is a stream that was used up, so there is nothing to send again.
    BodyUsedUp,
}

impl Verdict {
    /// What is known of the failure; `None` for a success.
    #[must_use]
    pub const fn failure(&self) -> Option<Failure> {
        match self {
            Self::Done => None,
            Self::GiveUp(failure) | Self::Retry(failure) | Self::NotSafe(failure, _) => Some(*failure),
        }
    }
}
