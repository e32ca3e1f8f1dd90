//! Circuit breakers: no attempt is made while a service fails most attempts.
//!
//! That takes load off a service that is down, and spares its callers the wait for responses that do not come (M. Nygard,
//! *Release It!*, 2007).
//!
//! The terms of this module:
//!
//! - A *permit* is the right of one admitted attempt to count its outcome. `Admitted` is a permit together with its breaker.
//! - A *refusal* means that the attempt is not admitted yet: the breaker is open, or a probe is under way.
//! - The *admission* of a refused attempt waits for the end of the probe if it can. It ends with a permit or a rejection.
//! - A *rejection* is final: the attempt is not made, and fails with `BreakerOpen`. Only another attempt may be admitted.
//! - A *pass* stores the permit of an annotated function's attempt, or of one hedged copy.
//! - A *pause* is a time in which attempts are rejected because the server asked to wait.

use core::fmt;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};

use crate::classify::breaker_open::{BreakerOpen, FromBreakerOpen};
use crate::classify::failure::Failure;
use crate::classify::outcome::Outcome;
use crate::classify::verdict::Classification;
use crate::context::values::OuterDeadline;
use crate::context::{caller, deadline, probes, simulation};
// Real time: a blocked thread does not see a pause of tokio's clock.
use crate::util::clock::{Instant, StdInstant};
use crate::util::host;
use gate::{Change, Gate, Permit, ProbeEnd, Refusal};

pub use change::BreakerChange;
pub use gate::BreakerState;
pub use probing::{MaybeProbe, maybe_probe, maybe_probe_blocking};

mod change;
mod gate;
pub(crate) mod pass;
mod pause;
mod probing;
mod settings;
mod window;

/// A circuit breaker: admits or rejects attempts, depending on the outcomes of earlier ones. It is a `static` that any
/// number of functions share.
///
/// While it is *closed*, it admits every attempt and counts the outcomes. When the share of failures in the window reaches
/// the [`failure_rate`](Self::failure_rate), it *opens*: attempts are not made, and fail with [`BreakerOpen`] at once.
/// After [`open_for`](Self::open_for) it is *half-open*: it admits one attempt at a time as a probe. If the probe succeeds
/// the breaker closes, otherwise it opens again.
///
/// Transient failures count, such as a 429, and failures that cannot be classified. A permanent failure, such as a 404, does not: the service
/// works if it responds like that.
///
/// An attempt that ends after the [deadline of a caller](crate::Deadline) outside this process does not count either: a caller
/// that waits too briefly says nothing about the service. If that attempt is the probe, its success still closes the breaker.
/// Otherwise the breaker is open again for a tenth of [`open_for`](Self::open_for).
///
/// ```
/// use std::io;
/// use retry_runtime::{Breaker, Policy};
///
/// static API: Breaker = Breaker::new().name("api");
///
/// async fn fetch() -> io::Result<String> {
///     # Ok(String::new())
///     // …
/// }
///
/// # async fn f() -> io::Result<String> {
/// Policy::new().run(|_| API.call(fetch())).await
/// # }
/// ```
///
/// # Rejected attempts
///
/// The call's deadline decides what happens to an attempt that is not admitted:
///
/// | deadline | the breaker is open | a probe is under way |
/// |---|---|---|
/// | cuts the attempt off | rejected, and retried when the breaker becomes half-open | waits for the end of the probe; is then admitted, rejected, or the next probe |
/// | does not cut it off | rejected, and retried when the breaker becomes half-open | rejected, and retried after as long as the probe has taken so far, but at least a tenth of [`open_for`](Self::open_for) and at most all of it |
/// | none | rejected, not retried | rejected, not retried |
///
/// A rejected attempt is retried only if its retry can start before the deadline. Otherwise the failure is permanent.
///
/// A deadline does not cut off [`Executor::attempt_to_end`](crate::Executor::attempt_to_end), for example. It does not cut off
/// the attempt of a blocking function with `breaker = …` either, but such an attempt waits for the end of a probe, at most
/// until the deadline.
///
/// With [`fail_fast`](Self::fail_fast), every call behaves as one without a deadline.
///
/// Only the deadline bounds the wait for a breaker: [`retry_after`](crate::Policy::retry_after) limits the delays of servers,
/// and a retry after a rejection takes no tokens of a [`Budget`](crate::Budget), because nothing was sent.
///
/// # Pauses
///
/// With [`pause_on_retry_after`](Self::pause_on_retry_after), a failed attempt whose server asks to wait pauses the breaker
/// for that time. A paused breaker rejects attempts like an open one, and the table above applies. The delays of the rejected
/// attempts last up to a tenth of the pause longer than the pause, each by a random part of that, so that they do not return
/// together. The random part takes at most half of the time that the deadline leaves after the pause.
///
/// - The failure has to count as one. `Retry-After` pauses with the status 429 or 503, and not with 404 or 202. So do the
///   equivalents of gRPC, [`Retryable::server_delay`](crate::Retryable::server_delay), and functions that read the delay,
///   such as `error_delay` of the attribute. A delay of zero does not pause.
/// - The failure also counts in the window. Attempts that run when the pause starts count as usual, and may open the breaker.
///   Successes do not end the pause.
/// - A longer delay that an attempt under way receives extends the pause.
/// - After the pause the breaker is closed again, without a probe, because the server has named the time. If the breaker was
///   open or half-open before the pause, or has opened since, a probe follows.
/// - An attempt that was dropped, panicked or was cut off has no delay, and an attempt inside a probe does not pause.
///
/// The breaker rejects the retry of the call that received the delay, if its policy ignores such delays or waits for a shorter
/// time.
///
/// In a [simulation](crate::testing::Simulation) that skips delays, breakers are not paused.
///
/// # Attempts inside the probe
///
/// An attempt inside the probe is admitted, because the probe may itself call functions that share the breaker. Only the
/// outcome of the probe decides. A task that the probe spawns is not inside it.
///
/// # Cost and accuracy
///
/// While the breaker is closed, an attempt takes no lock: its admission is one load, and its success adds one to a counter
/// that few other threads write to. A breaker takes about 2.5 KiB.
///
/// Each outcome counts exactly once, and only if the breaker has been closed since the attempt was admitted. To spare the
/// clock, some successes of a busy thread count up to a tenth of the window too early: less than an eighth of the successes of
/// that tenth, and at most 63 for each of eight counters.
pub struct Breaker {
    name: &'static str,
    on_change: Option<fn(&BreakerChange)>,
    /// The longest pause. `None` without pauses.
    longest_pause: Option<Duration>,
    fails_fast: bool,
    gate: Gate,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

/// Attempts.
impl Breaker {
    /// Runs one attempt if the breaker admits it, and counts its outcome. Otherwise returns the outcome that is made from
    /// [`BreakerOpen`], and does not poll the operation.
    ///
    /// Wrap the operation inside a retry loop with it, so that each attempt passes the breaker.
    ///
    /// # Time limits
    ///
    /// The time limits of a policy around this call drop its future, and a dropped attempt does not count. So a service that
    /// hangs never opens the breaker. Give the operation its own time limit:
    ///
    /// ```
    /// # use std::io;
    /// # use std::time::Duration;
    /// # use retry_runtime::{Breaker, Policy};
    /// # static API: Breaker = Breaker::new();
    /// # async fn fetch() -> io::Result<String> { Ok(String::new()) }
    /// # async fn f() -> io::Result<String> {
    /// let fetch_in_time = || async { tokio::time::timeout(Duration::from_secs(1), fetch()).await? };
    /// Policy::new().run(|_| API.call(fetch_in_time())).await
    /// # }
    /// ```
    ///
    /// Alternatively, annotate the function with `breaker = …`, which counts an attempt that was cut off as a failure.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the attempt, and the breaker does not count it. If it was the probe, the breaker admits
    /// another attempt as the probe, after a tenth of [`open_for`](Self::open_for) if the deadline of the caller outside this
    /// process cut the attempt off. Dropping the future while it waits for the end of a probe does not affect other calls.
    pub async fn call<O: Outcome + FromBreakerOpen>(&self, operation: impl Future<Output = O>) -> O {
        let admitted = match self.admit() {
            Ok(admitted) => admitted,
            Err(refusal) => match Box::new(Admission { breaker: self, refusal }).await {
                Ok(admitted) => admitted,
                Err(open) => return O::from_breaker_open(open),
            },
        };
        let probed = admitted.permit.probed();
        let admitted = Droppable(Some(admitted));
        let outcome = MaybeProbe::new(probed, operation).await;
        admitted.settle(outcome.classification());
        outcome
    }

    /// The current state. An open breaker becomes half-open only when the next attempt asks for admission, and a paused one
    /// closes only then.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.gate.state()
    }

    /// [`Admission`] for blocking code. It checks the deadline itself, because nothing can cut blocking code off.
    fn blocking_admission(&self) -> Result<Admitted<'_>, BreakerOpen> {
        loop {
            let refusal = match self.admit() {
                Ok(admitted) => return Ok(admitted),
                Err(refusal) => refusal,
            };
            let open = self.rejection(&refusal);
            let (Refusal::Probed(probe, _), Some(deadline)) = (refusal, self.deadline()) else { return Err(open) };
            if !block_on(probe, deadline.at.saturating_duration_since(Instant::now())) {
                return Err(open);
            }
        }
    }

    #[inline]
    fn admit(&self) -> Result<Admitted<'_>, Refusal<'_>> {
        match self.gate.admit(Instant::now) {
            Ok((permit, change)) => {
                self.report(change);
                Ok(Admitted { breaker: self, permit })
            }
            // The attempt is part of the probe: if it waited for the end of the probe, neither would ever end.
            Err(Refusal::Probed(..)) if probes::is_in_probe_of(self.gate.address()) => {
                Ok(Admitted { breaker: self, permit: self.gate.admit_inside_probe() })
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// The deadline that bounds the wait of a call. Without one, a call does not wait.
    fn deadline(&self) -> Option<OuterDeadline> {
        deadline::current().filter(|_| !self.fails_fast)
    }

    #[cold]
    fn rejection(&self, refusal: &Refusal<'_>) -> BreakerOpen {
        let time_left = self.deadline().map(|deadline| deadline.at.saturating_duration_since(Instant::now()));
        let (delay, is_paused) = match refusal {
            Refusal::Open(half_open_in) => (*half_open_in, false),
            Refusal::Paused(pause, rest) => (spread(*rest, pause.spread(), time_left), true),
            // The end of the probe is unknown. A delay as long as the probe has taken so far doubles the probe's age at each
            // retry, so the number of retries grows only logarithmically with the probe's duration, up to `open_for`.
            Refusal::Probed(_, so_far) => ((*so_far).clamp(self.gate.open_for / 10, self.gate.open_for), false),
        };
        let is_in_time = time_left.is_some_and(|left| delay < left);
        BreakerOpen::new(self.name, delay, is_in_time).with_pause(is_paused)
    }

    /// The pause that follows a failure. Zero is none.
    ///
    /// There is none in a simulation that skips delays: it would reject the retry of the call that has received the delay.
    fn pause_after(&self, fault: Option<Failure>) -> Duration {
        let limit = self.longest_pause.filter(|_| !simulation::skips_delays()).unwrap_or_default();
        fault.and_then(|failure| failure.server_delay()).map_or(Duration::ZERO, |delay| delay.min(limit))
    }

    /// Emits the event of a change of state and calls the listener, if the state has changed.
    #[inline]
    fn report(&self, change: Change) {
        if change.from != change.to {
            self.report_change(change, Duration::ZERO);
        }
    }

    /// Emits the event of a change of state and calls the listener. `pause` is that of the failure that made the change.
    #[cold]
    fn report_change(&self, change: Change, pause: Duration) {
        let change = BreakerChange::new(self.name, change, pause);
        change::emit(&change);
        self.on_change.inspect(|listener| listener(&change));
    }
}

/// The delay of an attempt that a pause rejects: the rest of the pause, and a random part of `spread`, so that the rejected
/// attempts do not all return at once. The random part takes at most half of what the rest leaves of the call's time.
fn spread(rest: Duration, spread: Duration, time_left: Option<Duration>) -> Duration {
    let room = time_left.and_then(|left| left.checked_sub(rest)).map_or(spread, |room| room / 2);
    let random = simulation::random_source().unwrap_or(host::random);
    rest.saturating_add(spread.min(room).mul_f64(random()))
}

/// A future that admits a refused attempt after the end of a probe, or returns the error of a rejected attempt. It waits
/// for the end of a probe only if a deadline cuts that wait off.
///
/// Its users box it, because it would otherwise enlarge the future of every call, including those that succeed at once.
struct Admission<'a> {
    breaker: &'a Breaker,
    refusal: Refusal<'a>,
}

impl<'a> Future for Admission<'a> {
    type Output = Result<Admitted<'a>, BreakerOpen>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let breaker = self.breaker;
        loop {
            match &mut self.refusal {
                Refusal::Probed(probe, _) if deadline::cuts_off() && !breaker.fails_fast => {
                    ready!(Pin::new(probe).poll(cx))
                }
                refusal => return Poll::Ready(Err(breaker.rejection(refusal))),
            }
            match breaker.admit() {
                Ok(admitted) => return Poll::Ready(Ok(admitted)),
                Err(again) => self.refusal = again,
            }
        }
    }
}

/// Blocks the thread until the probe has ended, for at most `limit`. Returns true if it has ended.
fn block_on(probe: ProbeEnd<'_>, limit: Duration) -> bool {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let start = StdInstant::now();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut probe = pin!(probe);
    while probe.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            return false;
        }
        thread::park_timeout(left);
    }
    true
}

/// An attempt that a breaker has admitted.
struct Admitted<'a> {
    breaker: &'a Breaker,
    permit: Permit<'a>,
}

impl Admitted<'_> {
    /// Counts the outcome. `with_delays` adds to its classification the server's delay that the user's own code reads.
    #[inline]
    fn settle(self, outcome: Classification, with_delays: impl FnOnce(Classification) -> Classification) {
        if !outcome.is_fault() {
            if caller::has_deadline() {
                return self.succeed_for_caller();
            }
            return self.breaker.report(self.permit.succeed(Instant::now));
        }
        let pauses = self.breaker.longest_pause.is_some();
        self.fail(if pauses { with_delays(outcome).failure() } else { None });
    }

    /// Counts a failure. Its server delay pauses the breaker.
    ///
    /// A failure after the caller outside this process has left does not count: a caller that waits too briefly says nothing about
    /// the service.
    #[cold]
    fn fail(self, fault: Option<Failure>) {
        if caller::has_left() {
            return self.postpone();
        }
        let pause = self.breaker.pause_after(fault);
        let change = self.permit.fail(Instant::now(), pause);
        if change.from != change.to {
            self.breaker.report_change(change, pause);
        }
    }

    /// The caller has left before the end of the attempt. If it is the probe, the breaker is open again for a short time.
    #[cold]
    fn postpone(self) {
        self.breaker.report(self.permit.postpone(Instant::now()));
    }

    /// [`succeed`](Permit::succeed) under a caller with a deadline. After it, successes of other attempts than the probe do not
    /// count, because failures do not: otherwise callers that wait too briefly would keep the breaker closed.
    #[cold]
    #[inline(never)]
    fn succeed_for_caller(self) {
        if self.permit.probed().is_some() || !caller::has_left() {
            self.breaker.report(self.permit.succeed(Instant::now));
        }
    }
}

/// An attempt of [`Breaker::call`], which does not count if it is dropped.
struct Droppable<'a>(Option<Admitted<'a>>);

impl Droppable<'_> {
    #[inline]
    fn settle(mut self, outcome: Classification) {
        if let Some(admitted) = self.0.take() {
            admitted.settle(outcome, |own| own);
        }
    }
}

impl Drop for Droppable<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            abandon(&mut self.0);
        }
    }
}

/// The attempt is dropped before its end, and does not count. A panic is not the caller's leaving.
#[cold]
fn abandon(admitted: &mut Option<Admitted<'_>>) {
    if let Some(admitted) = admitted.take_if(|_| !thread::panicking() && caller::has_left()) {
        admitted.postpone();
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("name", &self.name).field("state", &self.state()).finish_non_exhaustive()
    }
}
