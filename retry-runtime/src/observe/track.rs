//! Reports of single calls for their caller: the attempts, the elapsed time and the failures, without a change to the
//! function's type.
//!
//! As everything in the context, the records belong to the future that is polled. Only a failing call checks if it is
//! tracked.

use crate::context::tracked::record;
use crate::context::values::{FailedAttempt, TrackedAttempts};
use core::fmt::{self, Display};
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::error::Error;

use pin_project_lite::pin_project;

use crate::classify::retryable::Retryable;
use crate::classify::retryable::delegates_to;
use crate::util::clock::Instant;
use crate::util::durations::legible;

/// Counts the attempts of a call and measures its time. The call may be an annotated function, a loop with an
/// [`Executor`](crate::Executor), a request, or anything else that retries.
///
/// ```
/// # use std::io;
/// use retry_runtime::{track, retry};
///
/// #[retry(attempts = 3)]
/// async fn fetch(url: &str) -> io::Result<String> {
///     # if url.is_empty() { return Err(io::ErrorKind::InvalidInput.into()) }
///     # Ok(String::new())
///     // …
/// }
///
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let report = track(fetch("https://example.com")).await;
/// println!("{} attempts in {:?}", report.attempts(), report.elapsed());
/// let page = report.outcome?;
/// # Ok(()) }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(f()).unwrap();
/// ```
///
/// [`history`](Tracked::history) also keeps the failures, and [`CallReport::into_result`] combines everything into one
/// error:
///
/// ```
/// # use std::io;
/// use retry_runtime::{Policy, track};
///
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::fixed(std::time::Duration::ZERO).attempts(2);
/// let call = policy.run(|_| async { Err::<(), _>(io::Error::other("busy")) });
/// let exhausted = track(call).history(16).await.into_result().unwrap_err();
/// assert_eq!(exhausted.attempts(), 2);
/// assert_eq!(exhausted.failures()[0].to_string(), "attempt 1: busy");
/// # Ok(()) }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(f()).unwrap();
/// ```
///
/// It counts the retries of all calls that the future awaits, nested or in sequence, but not those of tasks that it
/// spawns. To run a blocking function, use [`block`](Tracked::block).
///
/// # Cancel safety
///
/// Dropping the future drops the call. If the future is inside another tracked future, its attempts so far are counted
/// there.
pub const fn track<F>(call: F) -> Tracked<F> {
    Tracked { attempts: TrackedAttempts::new(), started: None, call }
}

pin_project! {
    /// A tracked call, whose attempts are counted. Created by [`track`](crate::track()).
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the call.
    #[must_use = "a call does nothing unless it is awaited"]
    pub struct Tracked<F> {
        attempts: TrackedAttempts,
        started: Option<Instant>,
        #[pin]
        call: F,
    }
}

impl<F> Tracked<F> {
    /// Keeps the last `limit` failures. Defaults to 0.
    pub fn history(mut self, limit: usize) -> Self {
        self.attempts.capacity = limit;
        self
    }

    /// Runs a blocking function, and reports on its calls.
    pub fn block<O>(mut self) -> CallReport<O>
    where
        F: FnOnce() -> O,
    {
        let started = Instant::now();
        let outcome = record(&mut self.attempts, self.call);
        CallReport::new(outcome, started, self.attempts)
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = CallReport<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let started = *this.started.get_or_insert_with(Instant::now);
        let polled = record(this.attempts, || this.call.poll(cx));
        polled.map(|outcome| CallReport::new(outcome, started, mem::take(this.attempts)))
    }
}

/// The outcome of a tracked call, with its attempts, its time and its failures.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallReport<O> {
    /// The outcome of the call.
    pub outcome: O,
    retries: u32,
    elapsed: Duration,
    failures: Vec<FailedAttempt>,
}

impl<O> CallReport<O> {
    fn new(outcome: O, started: Instant, mut attempts: TrackedAttempts) -> Self {
        attempts.add_to_outer();
        let (retries, failures) = (mem::take(&mut attempts.retries), mem::take(&mut attempts.failures));
        Self { outcome, retries, elapsed: started.elapsed(), failures }
    }

    /// The number of attempts, including the first one and those that a breaker rejected.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.retries.saturating_add(1)
    }

    /// The time that the call took, measured from its first poll.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The last failures, in the order of their attempts, up to the limit of [`history`](Tracked::history).
    #[must_use]
    pub fn failures(&self) -> &[FailedAttempt] {
        &self.failures
    }
}

impl<T, E> CallReport<Result<T, E>> {
    /// Returns the value, or an error that combines the last error with the report.
    ///
    /// # Errors
    ///
    /// Returns a [`RetryError`] if the call failed.
    pub fn into_result(self) -> Result<T, RetryError<E>> {
        let Self { outcome, retries, elapsed, failures } = self;
        outcome.map_err(|last| RetryError(Box::new(CallReport { outcome: last, retries, elapsed, failures })))
    }
}

/// The last error of a call, with the number of attempts and their failures. Created by [`CallReport::into_result`].
///
/// Its [`source`](Error::source) is the last error. It implements [`Retryable`] by delegating to the last error.
// Boxed, so that a `Result` with it stays small, whatever `E` is.
pub struct RetryError<E>(Box<CallReport<E>>);

impl<E> RetryError<E> {
    /// The last error.
    #[must_use]
    pub fn last(&self) -> &E {
        &self.0.outcome
    }

    /// Returns the last error by value.
    #[must_use]
    pub fn into_last(self) -> E {
        self.0.outcome
    }

    /// The number of attempts, including the first one and those that a breaker rejected.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts()
    }

    /// The time that the call took, measured from its first poll.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// The last failures, in the order of their attempts, up to the limit of [`history`](Tracked::history).
    #[must_use]
    pub fn failures(&self) -> &[FailedAttempt] {
        &self.0.failures
    }
}

impl<E> Display for RetryError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (attempts, elapsed) = (self.attempts(), legible(self.elapsed()));
        let plural = if attempts == 1 { "" } else { "s" };
        write!(f, "failed after {attempts} attempt{plural} in {elapsed:?}")
    }
}

impl<E: fmt::Debug> fmt::Debug for RetryError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RetryError").field(&self.0).finish()
    }
}

impl<E: Error + 'static> Error for RetryError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.last())
    }
}

// `do_not_recommend`: this implementation is of no help for a type that does not implement `Retryable`.
#[diagnostic::do_not_recommend]
impl<E: Retryable> Retryable for RetryError<E> {
    delegates_to!(self => self.last());
}

impl<F> fmt::Debug for Tracked<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracked").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}
