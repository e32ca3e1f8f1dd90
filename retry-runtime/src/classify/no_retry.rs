//! `NoRetry`: a server's request not to retry a failure, which no condition overrides.

/// The reason why a server wants no further attempt after a failure. Whatever the condition and the class, the failure is not
/// retried then.
///
/// Returned by [`Retryable::no_retry`](crate::Retryable::no_retry) and by [`Failure::no_retry`](crate::Failure::no_retry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoRetry {
    /// The server has retried the failure itself, or a service below it has, and has no retries left. Retries here would
    /// multiply with those. In HTTP and gRPC: the header `x-retries-exhausted: 1`.
    ExhaustedBelow,
    /// The server asks for no retry. In gRPC: `grpc-retry-pushback-ms` with a negative or invalid value. In HTTP and gRPC:
    /// `x-envoy-overloaded` or `x-envoy-ratelimited`, without a delay to wait for.
    Refused,
}

/// The request of a server for no further attempt, and whether a delay lifts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerAdvice {
    no_retry: Option<NoRetry>,
    /// True if a delay that the server asks for takes precedence: it is then a rate limit with an end.
    unless_delayed: bool,
}

impl ServerAdvice {
    pub(crate) const NONE: Self = Self { no_retry: None, unless_delayed: false };

    pub(crate) const fn new(no_retry: Option<NoRetry>) -> Self {
        Self { no_retry, unless_delayed: false }
    }

    /// Refuses retries, unless the server asks for a delay.
    #[cfg(feature = "http")]
    pub(crate) const fn refused_unless_delayed() -> Self {
        Self { no_retry: Some(NoRetry::Refused), unless_delayed: true }
    }

    /// True if the server refuses retries that come before the delay it asks for.
    pub(crate) const fn is_lifted_by_delay(self) -> bool {
        self.unless_delayed
    }

    /// The reason why the failure is not retried, for a server that asks for a delay or does not.
    pub(crate) const fn no_retry(self, has_delay: bool) -> Option<NoRetry> {
        if self.unless_delayed && has_delay { None } else { self.no_retry }
    }
}
