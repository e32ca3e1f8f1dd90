//! `Deadline`: a deadline as a value, for code that runs outside the call or the request which has it.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::context::caller::{CallerLimits, CallerScope};
use crate::context::values::TimeLimit;
use crate::util::clock::Instant;

/// The time at which a caller stops waiting, as a value that can be passed to other tasks and threads.
///
/// The library applies a deadline to everything that an attempt or a request [behind the server layer](crate::server) polls itself.
/// Spawned tasks, `spawn_blocking` and `JoinSet` inherit nothing. Take the deadline with you:
///
/// ```
/// use retry_runtime::{Deadline, retry};
///
/// #[retry(attempts = 5, start = "200ms", deadline = "10s")]
/// async fn store(row: u32) -> std::io::Result<()> {
///     # let _ = row;
///     # Ok(())
///     // …
/// }
///
/// fn store_in_the_background(row: u32) {
///     tokio::spawn(Deadline::inherit(store(row)));
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async { store_in_the_background(1) });
/// ```
///
/// # What a deadline does
///
/// - Calls inside stop retrying when the next attempt could not start before it. They give up with
///   [`GiveUp::CallerDeadline`](crate::event::GiveUp::CallerDeadline) if the deadline came from outside this process, and with
///   [`GiveUp::Deadline`](crate::event::GiveUp::Deadline) if it is that of a call around them.
/// - Calls with a `deadline` or an `attempt_timeout` of their own are cut off at it, if it is earlier than theirs.
///   [Requests with retry](crate::http) are cut off at a deadline from outside this process whatever their policy is.
/// - [`Attempt::remaining`](crate::Attempt::remaining) includes it.
/// - A failure after a deadline from outside this process does not count in a [`Breaker`](crate::Breaker), because it says
///   nothing about the service that was called.
///
/// It cuts nothing else off. One line does:
///
/// ```
/// # use retry_runtime::Deadline;
/// # async fn call(deadline: Deadline, work: impl Future<Output = u32>) -> Result<u32, tokio::time::error::Elapsed> {
/// tokio::time::timeout(deadline.remaining(), deadline.scope(work)).await
/// # }
/// ```
///
/// Of several deadlines the earliest applies: a scope cannot extend the one around it.
#[derive(Clone, Copy)]
#[must_use]
pub struct Deadline {
    limits: CallerLimits,
}

impl Deadline {
    /// The earliest deadline around this code: that of the request which is being served, or of a call around. `None` if there is none.
    ///
    /// Call it where the deadline applies, such as in the body of an annotated function or in a handler, and not in the spawned task.
    #[must_use]
    pub fn current() -> Option<Self> {
        CallerLimits::current().map(|CallerLimits { limit, caller }| Self {
            // A task that runs elsewhere is not dropped when the call around it ends.
            limits: CallerLimits { limit: TimeLimit { cuts_off: false, ..limit }, caller },
        })
    }

    /// The deadline of a caller outside this process that waits for this time from now on, for protocols that the [server
    /// layer](crate::server) does not read. A message of a queue with an expiry is an example.
    ///
    /// Any duration is valid. After a duration of zero, the deadline has passed. A deadline that is later than the clock can tell never
    /// passes.
    pub fn after(time: Duration) -> Self {
        Self::starting_now(time, true)
    }

    /// The end of the time that a service spends on a request at most, whatever its caller says.
    #[allow(dead_code, reason = "for servers, which are a feature")]
    pub(crate) fn of_service(time: Duration) -> Self {
        Self::starting_now(time, false)
    }

    fn starting_now(time: Duration, is_foreign: bool) -> Self {
        let limit = TimeLimit { started: Instant::now(), length: time, cuts_off: false, is_foreign };
        Self { limits: CallerLimits { limit, caller: Some(limit) } }
    }

    /// The time left, zero if the deadline has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let TimeLimit { started, length, .. } = self.limits.limit;
        length.saturating_sub(Instant::now().saturating_duration_since(started))
    }

    /// Returns `true` if no time is left.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Applies the deadline to everything that the future polls.
    pub const fn scope<F>(self, future: F) -> WithDeadline<F> {
        WithDeadline { deadline: Some(self), future: Some(future) }
    }

    /// Applies the [current](Self::current) deadline to everything that the future polls, if there is one: for a task that is about to be
    /// spawned.
    pub fn inherit<F>(future: F) -> WithDeadline<F> {
        WithDeadline { deadline: Self::current(), future: Some(future) }
    }

    /// Applies the deadline to everything that the closure calls, such as blocking code in its own thread:
    ///
    /// ```
    /// use retry_runtime::{Deadline, retry};
    ///
    /// #[retry(blocking, attempts = 3)]
    /// fn read(path: &str) -> std::io::Result<String> {
    ///     std::fs::read_to_string(path)
    /// }
    ///
    /// # async fn f() -> std::io::Result<String> {
    /// let deadline = Deadline::current();
    /// let read = || read("Cargo.toml");
    /// let text = tokio::task::spawn_blocking(move || match deadline {
    ///     Some(deadline) => deadline.run(read),
    ///     None => read(),
    /// });
    /// text.await?
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(f()).unwrap();
    /// ```
    pub fn run<O>(self, work: impl FnOnce() -> O) -> O {
        let _scope = CallerScope::new(self.limits);
        work()
    }

    /// The earlier one of both deadlines.
    #[allow(dead_code, reason = "for servers, which are a feature")]
    pub(crate) fn within(self, outer: Option<Self>) -> Self {
        Self { limits: self.limits.within(outer.map(|outer| outer.limits)) }
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

pin_project! {
    /// A future with a deadline for everything inside it. Returned by [`Deadline::scope`] and [`Deadline::inherit`].
    ///
    /// It ends nothing by itself: see [`Deadline`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the future inside, and nothing else.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct WithDeadline<F> {
        deadline: Option<Deadline>,
        // `None` once it is dropped.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for WithDeadline<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(deadline) = this.deadline {
                // A breaker's probe looks at the deadline when it is dropped.
                deadline.run(|| this.future.set(None));
            }
        }
    }
}

impl<F: Future> Future for WithDeadline<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else { return Poll::Pending };
        match this.deadline {
            Some(deadline) => deadline.run(|| future.poll(cx)),
            None => future.poll(cx),
        }
    }
}

impl<F> fmt::Debug for WithDeadline<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithDeadline").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}
