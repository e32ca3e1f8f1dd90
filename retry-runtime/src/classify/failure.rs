//! `Failure`, the classification of one failed attempt.

use core::time::Duration;

use crate::classify::class::Class;
use crate::classify::connection::Via;
use crate::classify::no_retry::{NoRetry, ServerAdvice};

/// The classification of one failed attempt: its class, HTTP status and server delay, and whether the request may have
/// been processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    pub(super) class: Class,
    pub(super) status: Option<u16>,
    pub(super) delay: Option<Duration>,
    /// True if a breaker rejected the attempt. The delay is the breaker's then, not the server's.
    pub(super) by_breaker: bool,
    pub(super) unprocessed: bool,
    /// True if the client follows redirects without reporting them, so the failure may come from a later server than the
    /// first.
    pub(super) redirected: bool,
    pub(super) timeout: bool,
    pub(super) advice: ServerAdvice,
    /// True if the server reports that the call was cancelled: a timeout if the caller had no more time, and of unknown class
    /// otherwise.
    pub(super) cancelled: bool,
    /// The connection that a response came over.
    pub(super) via: Via,
}

impl Failure {
    /// Creates a failure of this class, without a status and a server delay. The server may have processed its request.
    #[must_use]
    pub const fn new(class: Class) -> Self {
        Self {
            class,
            status: None,
            delay: None,
            by_breaker: false,
            unprocessed: false,
            redirected: false,
            timeout: false,
            advice: ServerAdvice::NONE,
            cancelled: false,
            via: Via::NONE,
        }
    }

    /// Sets the class that the user marked the error with, and removes the status, because a status takes precedence over
    /// a class. What the status shows about processing is kept.
    pub(crate) const fn marked(self, class: Class) -> Self {
        Self { class, status: None, unprocessed: self.not_redirected().is_unprocessed(), ..self }
    }

    /// Turns a success that is retried nevertheless into a failure of the class `Unknown`.
    pub(crate) fn refused(self) -> Self {
        let class = if self.class == Class::Success { Class::Unknown } else { self.class };
        Self { class, ..self }
    }

    /// Sets the delay that the server asked for. It replaces the delay of a breaker.
    #[must_use]
    pub const fn with_server_delay(self, delay: Duration) -> Self {
        Self { delay: Some(delay), by_breaker: false, ..self }
    }

    /// Marks the attempt as rejected by a [`Breaker`](crate::Breaker), and sets the time until the breaker may let a
    /// probe through. It replaces the delay of a server.
    #[must_use]
    pub const fn with_breaker_delay(self, delay: Duration) -> Self {
        Self { delay: Some(delay), by_breaker: true, ..self }
    }

    /// Marks the request as one that the server cannot have processed.
    #[must_use]
    pub const fn before_processing(self) -> Self {
        Self { unprocessed: true, ..self }
    }

    /// Marks the failure as a timeout.
    #[must_use]
    pub const fn after_timeout(self) -> Self {
        Self { timeout: true, ..self }
    }

    /// Marks the failure as one that the server wants not to be retried, for this reason. No condition overrides that.
    ///
    /// ```
    /// # use retry_runtime::{Class, Failure};
    /// # use retry_runtime::outcome::NoRetry;
    /// let failure = Failure::new(Class::Transient).with_no_retry(NoRetry::ExhaustedBelow);
    /// assert_eq!(failure.no_retry(), Some(NoRetry::ExhaustedBelow));
    /// ```
    #[must_use]
    pub const fn with_no_retry(self, reason: NoRetry) -> Self {
        self.with_advice(ServerAdvice::new(Some(reason)))
    }

    pub(crate) const fn with_advice(self, advice: ServerAdvice) -> Self {
        Self { advice, ..self }
    }

    /// Marks the failure as the end of a call that the server cancelled.
    #[cfg(feature = "tonic")]
    pub(crate) const fn by_cancellation(self) -> Self {
        Self { cancelled: true, ..self }
    }

    /// The failure of a call that was cancelled because its time was over.
    pub(crate) const fn timed_out(self) -> Self {
        Self { class: Class::Transient, timeout: true, cancelled: false, ..self }
    }

    /// Removes the mark of [`before_processing`](Self::before_processing), for an error that may be about something other
    /// than the request itself.
    #[cfg(any(feature = "hyper", feature = "reqwest-middleware"))]
    pub(crate) const fn perhaps_processed(self) -> Self {
        Self { unprocessed: false, ..self }
    }

    /// Marks the failure as reported by a client that follows redirects without reporting them.
    #[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
    pub(crate) const fn perhaps_redirected(self) -> Self {
        Self { redirected: true, ..self }
    }

    /// Marks the request as one that was not redirected.
    pub(crate) const fn not_redirected(self) -> Self {
        Self { redirected: false, ..self }
    }

    /// The class.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The HTTP status, if there is one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// The delay that the server asked for, if it did.
    #[must_use]
    pub const fn server_delay(&self) -> Option<Duration> {
        if self.by_breaker { None } else { self.delay }
    }

    /// The time until a [`Breaker`](crate::Breaker) may admit the next attempt, if it rejected the attempt. Only the
    /// deadline limits this delay, not [`Policy::retry_after`](crate::Policy::retry_after).
    #[must_use]
    pub const fn breaker_delay(&self) -> Option<Duration> {
        if self.by_breaker { self.delay } else { None }
    }

    /// True if a breaker rejected the attempt.
    #[cfg(any(feature = "metrics", feature = "report"))]
    pub(crate) const fn is_rejection(&self) -> bool {
        self.by_breaker
    }

    /// Returns `true` if the failure shows that the server has not processed the request. It is safe to resend then, whatever its
    /// method.
    ///
    /// That is the case if there was no connection, if the server rejected the request before processing it, or if the
    /// status of the response is 421 (RFC 9110 §15.5.20), 425 (RFC 8470 §5.2), 429, or 503 with a server delay.
    ///
    /// 429, and 503 with `Retry-After`, count by convention: servers that limit their load send them instead of processing the
    /// request, but no RFC guarantees it. To exclude the 503, leave it out of
    /// [`on_status`](crate::Condition::on_status) in the condition for requests that are not safe to send twice.
    ///
    /// Always `false` for the errors and responses of reqwest itself, which follows redirects and hides them. So a POST through an
    /// ordinary client is not retried, not even after a refused connection. It is if
    /// [`Condition::assume_no_redirects`](crate::Condition::assume_no_redirects) is set or, with the feature `reqwest`, if the
    /// client has `track_redirects`.
    #[must_use]
    pub const fn is_unprocessed(&self) -> bool {
        let is_unprocessed = match self.status {
            Some(421 | 425 | 429) => true,
            Some(503) if self.server_delay().is_some() => true,
            _ => self.unprocessed,
        };
        is_unprocessed && !self.redirected
    }

    /// Returns `true` if the attempt took too long. A [`Budget`](crate::Budget) may charge more tokens for a retry then.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        self.timeout
    }

    /// The reason why the server wants no further attempt, if it does. Whatever the condition and the class, such a failure is not
    /// retried.
    #[must_use]
    pub const fn no_retry(&self) -> Option<NoRetry> {
        self.advice.no_retry(self.server_delay().is_some())
    }

    /// True if the server refuses a retry after this delay, because it asks for a longer one.
    pub(crate) fn is_refused_after(&self, delay: Duration) -> bool {
        self.advice.is_lifted_by_delay() && self.server_delay().is_some_and(|requested| delay < requested)
    }

    /// True if the server cancelled the call, and may have done so because the time of the call was over.
    pub(crate) const fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// True if the failure says nothing that a decision could use.
    pub(crate) fn is_blank(&self) -> bool {
        self.class == Class::Unknown && self.status.is_none() && !self.cancelled && self.advice == ServerAdvice::NONE
    }

    pub(crate) const fn via(&self) -> Via {
        self.via
    }
}
