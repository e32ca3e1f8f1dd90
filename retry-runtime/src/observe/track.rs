//! How many attempts a call took, for its caller: without a word in the function's type.
//!
//! As in `scope.rs`, what is noted belongs to the future that is polled. Only failures look whether somebody counts.

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
use crate::classify::retryable::known_by;
use crate::util::clock::Instant;
use crate::util::durations::legible;

/// Counts the attempts that a call makes, and takes the time: for an annotated function, a loop with an
/// [`Executor`](crate::Executor), a request, whatever retries.
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
/// println!("{} attempts in {:?}", retried.attempts(), retried.elapsed());
/// let page = retried.outcome?;
/// # Ok(()) }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(f()).unwrap();
/// ```
///
/// With [`history`](Tracked::history) it keeps what is said of each failure, and [`CallReport::into_result`] makes one error of all:
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
/// All retries inside are counted, of all calls that the future awaits, one in the other or one after the other; not those of tasks
/// that it spawns. A function that blocks is run with [`block`](Tracked::block).
///
/// # Cancel safety
///
/// Dropping the future drops the call. If it is inside another one that counts, its attempts so far count there.
pub const fn track<F>(call: F) -> Tracked<F> {
    Tracked { attempts: TrackedAttempts::new(), started: None, call }
}

pin_project! {
    /// A call whose attempts are counted: made by [`retried`].
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
    /// Keeps what is said of the last `most` failures; of none if not said.
    pub fn history(mut self, most: usize) -> Self {
        self.attempts.capacity = most;
        self
    }

    /// Runs a function that blocks.
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

/// The outcome of a call, and what it took.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallReport<O> {
    /// What the call gave.
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

    /// How many attempts were made, the first included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.retries.saturating_add(1)
    }

    /// The time that it took, from when the call was first polled.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// What is known of the failures, the last one last, as many as [`history`](Tracked::history) asks for.
    #[must_use]
    pub fn failures(&self) -> &[FailedAttempt] {
        &self.failures
    }
}

impl<T, E> CallReport<Result<T, E>> {
    /// The value, or one error that holds the last one and says what was tried.
    ///
    /// # Errors
    ///
    /// When the call failed.
    pub fn into_result(self) -> Result<T, RetryError<E>> {
        let Self { outcome, retries, elapsed, failures } = self;
        outcome.map_err(|last| RetryError(Box::new(CallReport { outcome: last, retries, elapsed, failures })))
    }
}

/// The last error of a call, with how many attempts it took and what they failed with: made by [`CallReport::into_result`].
///
/// Its [`source`](Error::source) is the last error. What that knows of itself ([`Retryable`]) it knows too.
pub struct RetryError<E>(Box<CallReport<E>>);

impl<E> RetryError<E> {
    /// The last error.
    #[must_use]
    pub fn last(&self) -> &E {
        &self.0.outcome
    }

    /// The last error itself.
    #[must_use]
    pub fn into_last(self) -> E {
        self.0.outcome
    }

    /// How many attempts were made, the first included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts()
    }

    /// The time that it took, from when the call was first polled.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// What is known of the failures, the last one last, as many as [`history`](Tracked::history) asks for.
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

#[diagnostic::do_not_recommend]
impl<E: Retryable> Retryable for RetryError<E> {
    known_by!(self => self.last());
}

impl<F> fmt::Debug for Tracked<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retrying").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}
