//! What is known about one failed attempt.

use core::time::Duration;

use crate::classify::class::Class;
use crate::classify::connection::Via;

/// What is known of one failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    pub(super) class: Class,
    pub(super) status: Option<u16>,
    pub(super) delay: Option<Duration>,
    /// A breaker refused the attempt, so the delay is the breaker's and not the server's.
    pub(super) kept_back: bool,
    pub(super) unprocessed: bool,
    /// Set for clients that follow redirects and do not report them: the failure may be that of another server than the first.
    pub(super) redirected: bool,
    pub(super) timeout: bool,
    /// The connection that a response came over.
    pub(super) via: Via,
}

impl Failure {
    /// Of this class, with neither status nor server delay.
    #[must_use]
    pub const fn new(class: Class) -> Self {
        Self {
            class,
            status: None,
            delay: None,
            kept_back: false,
            unprocessed: false,
            redirected: false,
            timeout: false,
            via: Via::NONE,
        }
    }

    /// The same with the class that its author marked it with. Without the status, which would decide before the mark does.
    pub(crate) const fn marked(self, class: Class) -> Self {
        Self { class, status: None, unprocessed: self.not_redirected().is_unprocessed(), ..self }
    }

    /// A success that is to be tried again is a failure of which nothing is known.
    pub(crate) fn refused(self) -> Self {
        let class = if self.class == Class::Success { Class::Unknown } else { self.class };
        Self { class, ..self }
    }

    /// The same with the delay that the server asked for.
    #[must_use]
    pub const fn with_server_delay(self, delay: Duration) -> Self {
        Self { delay: Some(delay), kept_back: false, ..self }
    }

    /// The same of an attempt that a [`Breaker`](crate::Breaker) did not let through, and when to ask it again. It
    /// replaces a server's delay.
    #[must_use]
    pub const fn with_breaker_delay(self, delay: Duration) -> Self {
        Self { delay: Some(delay), kept_back: true, ..self }
    }

    /// The same, of a request that the server cannot have processed.
    #[must_use]
    pub const fn before_processing(self) -> Self {
        Self { unprocessed: true, ..self }
    }

    /// The same of a request that took too long.
    #[must_use]
    pub const fn after_timeout(self) -> Self {
        Self { timeout: true, ..self }
    }

    /// The same, of an error that may be about something else than the request itself.
    #[cfg(any(feature = "hyper", feature = "reqwest-middleware"))]
    pub(crate) const fn perhaps_processed(self) -> Self {
        Self { unprocessed: false, ..self }
    }

    /// The same, reported by a client that follows redirects and does not tell.
    #[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
    pub(crate) const fn perhaps_redirected(self) -> Self {
        Self { redirected: true, ..self }
    }

    /// The same, of a request that was not redirected.
    pub(crate) const fn not_redirected(self) -> Self {
        Self { redirected: false, ..self }
    }

    /// The class.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The HTTP status, where there is one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// How long the server asked to wait, where it did.
    #[must_use]
    pub const fn server_delay(&self) -> Option<Duration> {
        if self.kept_back { None } else { self.delay }
    }

    /// How long to wait until a [`Breaker`](crate::Breaker) may let a probe through, where it did not let the attempt
    /// through. Only the deadline bounds that wait, not [`Policy::retry_after`](crate::Policy::retry_after).
    #[must_use]
    pub const fn breaker_delay(&self) -> Option<Duration> {
        if self.kept_back { self.delay } else { None }
    }

    /// Whether the server cannot have processed the request, so that it is safe to send again whatever its method:
    /// there was no connection, the server refused the request before it looked at it, or it answered 421 (RFC 9110
    /// §15.5.20), 425 (RFC 8470 §5.2), 429, or 503 with a delay.
    ///
    /// False for the errors and responses of reqwest: it follows redirects and does not report them, so the first server may
    /// have processed the request before the last one failed. [`Condition::assume_no_redirects`](crate::Condition::assume_no_redirects)
    /// and, with the feature `reqwest`, `track_redirects` on the client change that.
    #[must_use]
    pub const fn is_unprocessed(&self) -> bool {
        let is_unprocessed = match self.status {
            Some(421 | 425 | 429) => true,
            Some(503) if self.server_delay().is_some() => true,
            _ => self.unprocessed,
        };
        is_unprocessed && !self.redirected
    }

    /// Whether it took too long: a [`Budget`](crate::Budget) may take more for a retry then.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        self.timeout
    }

    /// The connection that the response came over.
    pub(crate) const fn via(&self) -> Via {
        self.via
    }
}
