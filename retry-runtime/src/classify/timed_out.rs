//! `TimedOut`, the error of an attempt that a time limit cut off, and its conversion into outcomes.

use core::fmt;
use core::time::Duration;
use std::error::Error;
use std::io;

use crate::classify::class::Class;
use crate::classify::retryable::Retryable;

/// The error of an attempt that was cut off, because it exceeded the attempt timeout or the deadline passed while it ran.
///
/// It is converted into the function's error type, which has to implement `From<TimedOut>` (with thiserror: a variant
/// with `#[from] TimedOut`, and `#[retryable(source)]` if the type derives `Retryable`). [`std::io::Error`], `String`, boxed errors, `anyhow::Error` and, with the features of the
/// same names, `reqwest::Error` and `tonic::Status` implement it already.
///
/// Without it, the limits in the attribute are compile errors. Those of a `policy = …`, whose values only exist at run time, cut off
/// nothing then, and the function emits one warning.
///
/// It is transient: an attempt timeout may be followed by another attempt. The deadline ends the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    limit: Duration,
    kind: Kind,
}

/// The limit that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Attempt,
    /// The deadline of a call in this process.
    Deadline,
    /// The deadline of the caller outside this process.
    CallerDeadline,
}

impl TimedOut {
    pub(crate) const fn attempt(limit: Duration) -> Self {
        Self { limit, kind: Kind::Attempt }
    }

    pub(crate) const fn deadline(limit: Duration) -> Self {
        Self { limit, kind: Kind::Deadline }
    }

    pub(crate) const fn caller_deadline(limit: Duration) -> Self {
        Self { limit, kind: Kind::CallerDeadline }
    }

    /// The limit that was exceeded: the attempt timeout, the deadline, or the time that the caller outside this process had left when its
    /// request was received.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.limit
    }

    /// Returns `true` if a deadline passed, and `false` if the attempt timeout was exceeded.
    #[must_use]
    pub const fn is_deadline(&self) -> bool {
        !matches!(self.kind, Kind::Attempt)
    }

    /// Returns `true` if the deadline is that of the caller outside this process: see [`Deadline`](crate::Deadline).
    #[must_use]
    pub const fn is_caller_deadline(&self) -> bool {
        matches!(self.kind, Kind::CallerDeadline)
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, kind } = self;
        match kind {
            Kind::Attempt => write!(f, "the attempt took longer than {limit:?}"),
            Kind::Deadline => write!(f, "the deadline of {limit:?} passed while the attempt ran"),
            Kind::CallerDeadline => write!(f, "the caller's deadline of {limit:?} passed while the attempt ran"),
        }
    }
}

impl Error for TimedOut {}

impl Retryable for TimedOut {
    fn class(&self) -> Class {
        Class::Transient
    }

    fn is_timeout(&self) -> bool {
        true
    }
}

impl From<TimedOut> for io::Error {
    fn from(timed_out: TimedOut) -> Self {
        Self::new(io::ErrorKind::TimedOut, timed_out)
    }
}

impl From<TimedOut> for String {
    fn from(timed_out: TimedOut) -> Self {
        timed_out.to_string()
    }
}

/// An outcome that can represent an attempt that was cut off.
///
/// Implemented for `Result<T, E>` where `E: From<TimedOut>`, and for `Option<T>`, where it is `None`. Your own type may
/// implement it if it is an outcome by itself. An annotated function whose outcome does not implement it runs its attempts to their end,
/// whatever limits its `policy = …` has, and emits one warning if there are any.
#[diagnostic::on_unimplemented(
    message = "an attempt that times out cannot return a `{Self}`",
    label = "cannot be made from `TimedOut`",
    note = "`deadline` and `attempt_timeout` drop an attempt that takes too long, and its error is made from `retry_runtime::TimedOut`: \
            write `impl From<retry_runtime::TimedOut> for` your error type (thiserror: `#[from] TimedOut`, and with `derive(Retryable)` also `#[retryable(source)]`)",
    note = "for a generic error `E`, add the bound `E: From<retry_runtime::TimedOut>`; or let attempts run to their end: \
            `.to_end()` after `Policy::run`, `Executor::attempt_to_end` in a loop; or remove the limits",
    note = "the errors of reqwest and tonic can be made from it with the feature of that name of `retry-runtime`"
)]
pub trait FromTimedOut: Sized {
    /// The outcome of an attempt that was cut off.
    fn from_timed_out(timed_out: TimedOut) -> Self;
}

// `do_not_recommend`: otherwise rustc reports that `E: From<TimedOut>` is not met, instead of the message on the trait.
#[diagnostic::do_not_recommend]
impl<T, E: From<TimedOut>> FromTimedOut for Result<T, E> {
    fn from_timed_out(timed_out: TimedOut) -> Self {
        Err(timed_out.into())
    }
}

#[diagnostic::do_not_recommend]
impl<T> FromTimedOut for Option<T> {
    fn from_timed_out(_: TimedOut) -> Self {
        None
    }
}
