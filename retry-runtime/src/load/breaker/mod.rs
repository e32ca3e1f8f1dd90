//! A circuit breaker: no attempt is made while a service fails most of them.
//!
//! A [`Budget`](crate::Budget) limits retries; a breaker stops first attempts too. It spares a service that is down the load, and its
//! callers the wait for answers that do not come (M. Nygard, *Release It!*, 2007).

use crate::classify::breaker_open::BreakerOpen;
use crate::classify::breaker_open::FromBreakerOpen;
use core::fmt;
use core::mem;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use std::sync::Arc;
use std::task::Wake;
use std::thread::{self, Thread};
use std::time::Instant as WallClock;

use crate::classify::outcome::Outcome;
use crate::classify::verdict::Classification;
use crate::context::{deadline, expiry, probes};
use crate::util::clock::Instant;
use gate::{Change, Gate, Permit, ProbeEnd, Refusal};

pub use gate::BreakerState;
pub use probing::{MaybeProbe, maybe_probe, maybe_probe_blocking};

mod gate;
mod probing;

/// Lets attempts through, or not, by what became of those before: a value in a `static`, shared by any number of functions.
///
/// *Closed*, it lets all through and counts. When the share of failures in the window reaches the
/// [`failure_rate`](Self::failure_rate), it *opens*: attempts are not made, and give a [`BreakerOpen`] at once. After
/// [`open_for`](Self::open_for) it is *half-open*: one attempt at a time is let through as a probe. If that succeeds the breaker
/// closes, otherwise it opens again.
///
/// What counts as a failure is what may well be the service's fault: transient failures, and those of which nothing is known. A
/// permanent one, such as a 404, is an answer of a service that works.
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
/// While it is open, an attempt is worth a retry only where the call's deadline leaves time for the breaker to become half-open:
/// then that is what the retry waits for. Otherwise the failure is permanent.
///
/// While a probe is under way, an attempt waits for its end if the call has a deadline that ends the wait. Then it is let
/// through, or refused, or it is the next probe. An attempt of a call without a deadline is refused at once. An attempt that a
/// deadline does not cut off, such as [`Executor::attempt_to_end`](crate::Executor::attempt_to_end), is refused too, and the
/// retry waits for as long as the probe has taken so far, between a tenth of [`open_for`](Self::open_for) and all of it.
///
/// An attempt inside the probe is let through: the probe may itself call functions that share the breaker. The outcome of the
/// probe then decides, and not those of the attempts inside. A task that the probe spawns is not inside it.
///
/// The breaker's wait is bounded by the deadline alone: [`retry_after`](crate::Policy::retry_after) is about what servers ask for.
pub struct Breaker {
    name: &'static str,
    on_change: Option<fn(&BreakerChange)>,
    gate: Gate,
}

/// A breaker has changed its state.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BreakerChange {
    /// The breaker's name.
    pub name: &'static str,
    /// The state that it had.
    pub from: BreakerState,
    /// The state that it has now.
    pub to: BreakerState,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

/// Settings.
impl Breaker {
    /// Opens when half of at least 20 attempts in ten seconds fail, for five seconds.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            name: "breaker",
            on_change: None,
            gate: Gate::new(50, 20, Duration::from_secs(10), Duration::from_secs(5)),
        }
    }

    /// The name in its error and its events; `breaker` if not said.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// The share of failures, in percent, at which it opens; 50 if not said.
    ///
    /// # Panics
    ///
    /// When it is 0 or above 100.
    #[must_use]
    #[track_caller]
    pub const fn failure_rate(mut self, percent: u8) -> Self {
        assert!(percent > 0 && percent <= 100, "a `failure_rate` is a share in percent: from 1 to 100");
        self.gate.failure_rate = percent;
        self
    }

    /// The attempts in the window below which the share says nothing; 20 if not said.
    ///
    /// # Panics
    ///
    /// When it is 0.
    #[must_use]
    #[track_caller]
    pub const fn minimum_calls(mut self, calls: u32) -> Self {
        assert!(calls > 0, "a breaker needs at least one call to judge by");
        self.gate.minimum_calls = calls;
        self
    }

    /// How far back it looks; ten seconds if not said. It moves on in tenths.
    ///
    /// # Panics
    ///
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn window(mut self, window: Duration) -> Self {
        assert!(!window.is_zero(), "a `window` of zero holds no calls: give it some seconds");
        self.gate.window = window;
        self
    }

    /// How long it stays open before a probe; five seconds if not said.
    ///
    /// # Panics
    ///
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn open_for(mut self, time: Duration) -> Self {
        assert!(!time.is_zero(), "a breaker that is open for no time is closed: give it some seconds");
        self.gate.open_for = time;
        self
    }

    /// Called at each change of state, after it and outside of the breaker's lock. The change also is an event of `tracing`, target
    /// `retry`: a warning where it opens.
    #[must_use]
    pub const fn on_change(mut self, listener: fn(&BreakerChange)) -> Self {
        self.on_change = Some(listener);
        self
    }
}

/// Attempts.
impl Breaker {
    /// Runs one attempt, if the breaker lets it through, and takes note of its outcome. Otherwise gives the outcome that is made
    /// from [`BreakerOpen`], and does not poll the operation.
    ///
    /// For the operation inside of a loop, so that each attempt passes the breaker.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the attempt, and the breaker does not count it. If it was the probe, the breaker lets another attempt
    /// through as the probe.
    /// Dropping the future while it waits for the end of a probe has no effect on others. The time limits of a
    /// policy around it drop it too, so a service that hangs never opens it: give the operation a time limit of its own, or annotate
    /// the function with `breaker = …`, which counts an attempt that was cut off as a failure.
    pub async fn call<O: Outcome + FromBreakerOpen>(&self, operation: impl Future<Output = O>) -> O {
        let admitted = match self.admit() {
            Ok(admitted) => admitted,
            Err(refusal) => match Box::new(Admission { breaker: self, refusal }).await {
                Ok(admitted) => admitted,
                Err(open) => return O::from_breaker_open(open),
            },
        };
        let outcome = MaybeProbe::new(admitted.permit.probed(), operation).await;
        admitted.settle(outcome.classification().is_fault());
        outcome
    }

    /// The state that it is in. An open breaker becomes half-open when it is next asked for an attempt.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.gate.state()
    }

    /// [`Admission`] for code that blocks. It watches the deadline by itself, since nothing cuts it off.
    fn blocking_admission(&self) -> Result<Admitted<'_>, BreakerOpen> {
        loop {
            let refusal = match self.admit() {
                Ok(admitted) => return Ok(admitted),
                Err(refusal) => refusal,
            };
            let open = self.open(&refusal);
            let (Refusal::Probed(probe, _), Some(deadline)) = (refusal, deadline::current()) else { return Err(open) };
            if !block_on(probe, deadline.at.saturating_duration_since(Instant::now())) {
                return Err(open);
            }
        }
    }

    fn admit(&self) -> Result<Admitted<'_>, Refusal<'_>> {
        match self.gate.admit(Instant::now()) {
            Ok((permit, change)) => {
                self.tell(change);
                Ok(Admitted { breaker: self, permit })
            }
            // Otherwise the probe would wait for its own end.
            Err(Refusal::Probed(..)) if probes::is_in_probe_of(self.gate.address()) => {
                Ok(Admitted { breaker: self, permit: self.gate.admit_inside_probe() })
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// The error of an attempt that is not made.
    #[cold]
    fn open(&self, refusal: &Refusal<'_>) -> BreakerOpen {
        let half_open_in = match refusal {
            Refusal::Open(half_open_in) => *half_open_in,
            // Nobody knows when the probe ends. Doubling the time means asking seldom, and not much too late.
            Refusal::Probed(_, so_far) => (*so_far).clamp(self.gate.open_for / 10, self.gate.open_for),
        };
        let is_in_time = |deadline| Instant::now().checked_add(half_open_in).is_some_and(|then| then < deadline);
        let is_in_time = deadline::current().is_some_and(|deadline| is_in_time(deadline.at));
        BreakerOpen::new(self.name, half_open_in, is_in_time)
    }

    /// Says that the state has changed, if it has.
    fn tell(&self, Change { from, to }: Change) {
        if from != to {
            let change = BreakerChange { name: self.name, from, to };
            say(&change);
            self.on_change.inspect(|listener| listener(&change));
        }
    }
}

/// Lets an attempt through that was refused, after the end of a probe, or gives the error of an attempt that is not made. It waits
/// for the end of a probe only if a deadline cuts that wait off.
///
/// Boxed, so that the future of a call that succeeds does not grow by it.
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
                Refusal::Probed(probe, _) if deadline::cuts_off() => ready!(Pin::new(probe).poll(cx)),
                refusal => return Poll::Ready(Err(breaker.open(refusal))),
            }
            match breaker.admit() {
                Ok(admitted) => return Poll::Ready(Ok(admitted)),
                Err(again) => self.refusal = again,
            }
        }
    }
}

/// Blocks the thread until the probe has ended, for at most this long: whether it has.
fn block_on(probe: ProbeEnd<'_>, at_most: Duration) -> bool {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let start = WallClock::now();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut probe = pin!(probe);
    while probe.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        let left = at_most.saturating_sub(start.elapsed());
        if left.is_zero() {
            return false;
        }
        thread::park_timeout(left);
    }
    true
}

/// An attempt that a breaker has let through.
struct Admitted<'a> {
    breaker: &'a Breaker,
    permit: Permit<'a>,
}

impl Admitted<'_> {
    fn settle(self, failed: bool) {
        self.breaker.tell(self.permit.settle(Instant::now(), failed));
    }
}

/// What the attribute keeps of a breaker for an attempt: around it, for the breaker to take note of one that is cut off; or in
/// each copy of it.
pub struct Pass(Option<Admitted<'static>>);

impl Pass {
    /// For an attempt that has yet to ask.
    #[inline]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Asks to be let through, unless that was asked before.
    ///
    /// # Errors
    ///
    /// A future to await when the attempt is not let through at once.
    // Takes a function, for a breaker in a constant would be a new one at each call.
    pub fn ask(&mut self, breaker: fn() -> &'static Breaker) -> Result<(), Refused<'_>> {
        if self.0.is_none() {
            let breaker = breaker();
            match breaker.admit() {
                Ok(admitted) => self.0 = Some(admitted),
                Err(refusal) => return Err(Refused(Box::new((self, Admission { breaker, refusal })))),
            }
        }
        self.begin();
        Ok(())
    }

    /// [`ask`](Self::ask) for a function that blocks.
    ///
    /// # Errors
    ///
    /// The error of an attempt that is not to be made.
    pub fn ask_blocking(&mut self, breaker: fn() -> &'static Breaker) -> Result<(), BreakerOpen> {
        self.0 = Some(breaker().blocking_admission()?);
        self.begin();
        Ok(())
    }

    /// The attempt that is polled has been let through.
    #[inline]
    fn begin(&self) {
        if let Some(breaker) = self.0.as_ref().and_then(|admitted| admitted.permit.probed()) {
            probes::begin_probe_of(breaker);
        }
    }

    /// The attempt has its outcome. One that was not made says nothing.
    pub fn settle(mut self, classification: Classification) {
        if let Some(admitted) = self.0.take() {
            admitted.settle(classification.is_fault());
        }
    }
}

/// An attempt that is not let through at once. Gives what its outcome is made from if it is not to be made.
#[must_use]
pub struct Refused<'p>(Box<(&'p mut Pass, Admission<'static>)>);

impl Future for Refused<'_> {
    type Output = Result<(), BreakerOpen>;

    #[cold]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (pass, admission) = &mut *self.0;
        let admitted = ready!(Pin::new(admission).poll(cx));
        Poll::Ready(admitted.map(|admitted| {
            pass.0 = Some(admitted);
            pass.begin();
        }))
    }
}

impl fmt::Debug for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refused")
    }
}

/// Lets another copy of a hedged attempt through, or not.
pub trait Entrance {
    #[doc(hidden)]
    type Pass;

    /// `None` where the copy is not let through. It does not wait.
    #[doc(hidden)]
    fn ask(&self) -> Option<Self::Pass>;

    /// Keeps what lets the next copy through.
    #[doc(hidden)]
    fn keep(&mut self, pass: Self::Pass);
}

/// Nothing.
impl Entrance for () {
    type Pass = ();

    fn ask(&self) -> Option<()> {
        Some(())
    }

    fn keep(&mut self, (): ()) {}
}

/// A breaker, which each copy asks.
#[derive(Debug)]
pub struct EachCopy {
    breaker: fn() -> &'static Breaker,
    next: Pass,
}

impl EachCopy {
    /// Of an attempt that has no copy yet.
    pub const fn of(breaker: fn() -> &'static Breaker) -> Self {
        Self { breaker, next: Pass::none() }
    }

    pub(crate) fn take(&mut self) -> Pass {
        mem::replace(&mut self.next, Pass::none())
    }
}

impl Entrance for EachCopy {
    type Pass = Pass;

    fn ask(&self) -> Option<Pass> {
        (self.breaker)().admit().ok().map(|admitted| Pass(Some(admitted)))
    }

    fn keep(&mut self, pass: Pass) {
        self.next = pass;
    }
}

/// An attempt is dropped before its end. That is a failure if a time limit of this call or of one around it cut the attempt off,
/// but not if a caller dropped the call or if another copy won.
impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(admitted) = self.0.take_if(|_| expiry::is_expired()) {
            admitted.settle(true);
        }
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pass")
    }
}

#[cfg(feature = "tracing")]
fn say(change: &BreakerChange) {
    let BreakerChange { name, to, .. } = *change;
    match to {
        BreakerState::Open => tracing::warn!(target: "retry", name, state = to.as_str(), "the breaker opened"),
        _ => tracing::info!(target: "retry", name, state = to.as_str(), "the breaker is {to}"),
    }
}

#[cfg(not(feature = "tracing"))]
fn say(_: &BreakerChange) {}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("name", &self.name).field("state", &self.state()).finish_non_exhaustive()
    }
}
