//! `Retrying`, which the hook `on_retry` receives, and what the hook may return.

use core::fmt::{self, Display};
use core::ops::ControlFlow;
use core::time::Duration;

use crate::policy::attempt::Attempt;
use crate::util::durations::legible;
use crate::util::mask::Masked;

/// An attempt that failed, or whose value is not ready yet, as the hook `on_retry` receives it before the wait for the next one.
///
/// It holds the typed error, or the value if a success is retried. Its `Display` is one line, with secrets in URLs masked:
/// `attempt 1 of 3 failed: connection refused; next attempt in 1s`.
///
/// # What the hook may return
///
/// - nothing, or `ControlFlow::Continue(())`: the call waits and retries;
/// - `ControlFlow::Break(())`: the call ends, and returns what failed;
/// - for an outcome `Result<T, E>`, a `Result<(), E>`: an error ends the call, which returns that error.
///
/// A call that the hook ends emits [`GiveUp::Stopped`](crate::event::GiveUp::Stopped), and the tokens that its budget took
/// for the retry are given back. They are given back too if the hook panics.
pub struct Retrying<'a, T: ?Sized, E: ?Sized> {
    failed: Result<&'a T, &'a E>,
    attempt: &'a Attempt,
    delay: Duration,
    /// A better text of the error than its `Display`.
    error_text: Option<&'a dyn Display>,
}

impl<'a, T: ?Sized, E: ?Sized> Retrying<'a, T, E> {
    pub(crate) const fn new(failed: Result<&'a T, &'a E>, attempt: &'a Attempt, delay: Duration) -> Self {
        Self { failed, attempt, delay, error_text: None }
    }

    /// Shows this text instead of the error's `Display`.
    #[cfg(feature = "reqwest")]
    pub(crate) const fn with_error_text(self, text: &'a dyn Display) -> Self {
        Self { error_text: Some(text), ..self }
    }

    /// The error of the attempt; `None` if a value is retried.
    #[must_use]
    pub fn error(&self) -> Option<&'a E> {
        self.failed.err()
    }

    /// The value of the attempt, if a value is retried: a response with status 503, or one that `on_ok` or `until` asks to
    /// retry.
    #[must_use]
    pub fn value(&self) -> Option<&'a T> {
        self.failed.ok()
    }

    /// The attempt that has ended.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        self.attempt
    }

    /// The delay before the next attempt.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

impl<T: ?Sized, E: Display + ?Sized> Display for Retrying<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attempt = self.attempt;
        write!(f, "attempt {}", attempt.number())?;
        if let Some(attempts) = attempt.attempts() {
            write!(f, " of {attempts}")?;
        }
        match (self.failed, attempt.last_failure().map(|failure| failure.status())) {
            (Err(error), _) => match self.error_text {
                Some(text) => write!(f, " failed: {}", Masked(text))?,
                None => write!(f, " failed: {}", Masked(&error))?,
            },
            (Ok(_), None) => f.write_str(": not ready yet")?,
            (Ok(_), Some(Some(status))) => write!(f, " failed: status {status}")?,
            (Ok(_), Some(None)) => f.write_str(" is retried")?,
        }
        write!(f, "; next attempt in {:?}", legible(self.delay))
    }
}

impl<T: fmt::Debug + ?Sized, E: fmt::Debug + ?Sized> fmt::Debug for Retrying<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retrying")
            .field("failed", &self.failed)
            .field("attempt", &self.attempt.number())
            .field("delay", &self.delay)
            .finish()
    }
}

/// A value that the hook `on_retry` may return in a call whose outcome is an `O`: see [`Retrying`].
#[diagnostic::on_unimplemented(
    message = "the hook `on_retry` cannot return a `{Self}` here",
    label = "neither `()`, nor `ControlFlow<()>`, nor a `Result<(), E>` with the call's error type `E`",
    note = "end the closure with `;` to ignore the value, or return `ControlFlow::Break(())` to end the call",
    note = "the hook cannot await, so it is not `async`"
)]
pub trait HookResult<O> {
    /// `Break` to end the call, with the outcome that it returns instead of the failed one.
    #[doc(hidden)]
    fn into_flow(self) -> ControlFlow<Option<O>>;
}

#[diagnostic::do_not_recommend]
impl<O> HookResult<O> for () {
    fn into_flow(self) -> ControlFlow<Option<O>> {
        ControlFlow::Continue(())
    }
}

#[diagnostic::do_not_recommend]
impl<O> HookResult<O> for ControlFlow<()> {
    fn into_flow(self) -> ControlFlow<Option<O>> {
        self.map_break(|()| None)
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> HookResult<Result<T, E>> for Result<(), E> {
    fn into_flow(self) -> ControlFlow<Option<Result<T, E>>> {
        match self {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(Some(Err(error))),
        }
    }
}
