//! A circuit breaker: no attempt is made while a service fails most of them.
//!
//! A [`Budget`](crate::Budget) limits retries; a breaker stops first attempts too. It spares a service that is down the load, and its
//! callers the wait for answers that do not come (M. Nygard, *Release It!*, 2007).

use core::fmt;
use core::time::Duration;
use std::error::Error;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::outcome::Outcome;
use crate::sleep::Instant;
use crate::{Class, Retryable, scope};

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
/// static API: Breaker = Breaker::new().named("api");
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
pub struct Breaker {
    name: &'static str,
    failure_rate: u8,
    minimum_calls: u32,
    window: Duration,
    open_for: Duration,
    on_change: Option<fn(&BreakerChange)>,
    inside: Mutex<Inside>,
}

/// What a breaker does with attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// It lets them through.
    Closed,
    /// It does not.
    Open,
    /// It lets one through at a time.
    HalfOpen,
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

#[derive(Debug)]
struct Inside {
    state: State,
    counts: [Counts; PARTS],
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open { until: Instant },
    HalfOpen { is_probed: bool },
}

/// The window moves on in parts of it.
const PARTS: usize = 10;

/// What became of the attempts of one part of the window.
#[derive(Clone, Copy, Debug)]
struct Counts {
    since: Option<Instant>,
    calls: u32,
    failures: u32,
}

impl Counts {
    const NONE: Self = Self { since: None, calls: 0, failures: 0 };
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
            failure_rate: 50,
            minimum_calls: 20,
            window: Duration::from_secs(10),
            open_for: Duration::from_secs(5),
            on_change: None,
            inside: Mutex::new(Inside { state: State::Closed, counts: [Counts::NONE; PARTS] }),
        }
    }

    /// The name in its error and its events; `breaker` if not said.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
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
        self.failure_rate = percent;
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
        self.minimum_calls = calls;
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
        self.window = window;
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
        self.open_for = time;
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
    /// Dropping the future drops the attempt, of which no note is taken. If it was the probe, the next attempt is.
    pub async fn call<O: Outcome + FromBreakerOpen>(&self, operation: impl Future<Output = O>) -> O {
        let permit = match self.admit() {
            Ok(permit) => permit,
            Err(open) => return O::from_breaker_open(open),
        };
        let outcome = operation.await;
        permit.settle(outcome.findings().is_fault());
        outcome
    }

    /// The state that it is in. An open breaker becomes half-open when it is next asked for an attempt.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.lock().state.name()
    }

    fn admit(&self) -> Result<Permit<'_>, BreakerOpen> {
        let now = Instant::now();
        let mut inside = self.lock();
        let before = inside.state;
        let is_probe = match before {
            State::Closed => false,
            State::Open { until } if now < until => return Err(self.open(until - now)),
            State::HalfOpen { is_probed: true } => return Err(self.open(Duration::ZERO)),
            State::Open { .. } | State::HalfOpen { is_probed: false } => {
                inside.state = State::HalfOpen { is_probed: true };
                true
            }
        };
        self.tell(before, inside);
        Ok(Permit { breaker: self, is_probe, is_settled: false })
    }

    /// An attempt was let through; it failed, or not, or was dropped before its end.
    fn settle(&self, is_probe: bool, failed: Option<bool>) {
        let now = Instant::now();
        let mut inside = self.lock();
        let before = inside.state;
        let open = State::Open { until: now + self.open_for };
        inside.state = match (before, failed) {
            (State::HalfOpen { .. }, None) if is_probe => State::HalfOpen { is_probed: false },
            (State::HalfOpen { .. }, Some(true)) if is_probe => open,
            (State::HalfOpen { .. }, Some(false)) if is_probe => {
                inside.counts = [Counts::NONE; PARTS];
                State::Closed
            }
            (State::Closed, Some(failed)) if inside.count(now, failed, self) => open,
            // What began before the state changed says nothing of it.
            _ => before,
        };
        self.tell(before, inside);
    }

    fn open(&self, half_open_in: Duration) -> BreakerOpen {
        let is_in_time = scope::deadline().is_some_and(|deadline| Instant::now() + half_open_in < deadline);
        BreakerOpen { name: self.name, half_open_in, is_in_time }
    }

    /// Says that the state has changed, if it has.
    fn tell(&self, before: State, inside: MutexGuard<'_, Inside>) {
        let change = BreakerChange { name: self.name, from: before.name(), to: inside.state.name() };
        drop(inside);
        if change.from != change.to {
            say(&change);
            self.on_change.inspect(|listener| listener(&change));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Nothing that is done under the lock leaves it half done.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    const fn name(self) -> BreakerState {
        match self {
            Self::Closed => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

impl Inside {
    /// Counts an attempt: whether the failures are too many now.
    fn count(&mut self, now: Instant, failed: bool, breaker: &Breaker) -> bool {
        let part = breaker.window / PARTS as u32;
        let newest = self.counts[0].since;
        if newest.is_none_or(|since| now.saturating_duration_since(since) >= part) {
            self.counts.rotate_right(1);
            self.counts[0] = Counts { since: Some(now), ..Counts::NONE };
        }
        let counts = &mut self.counts[0];
        counts.calls = counts.calls.saturating_add(1);
        counts.failures = counts.failures.saturating_add(failed.into());
        let is_recent =
            |counts: &&Counts| counts.since.is_some_and(|since| now.saturating_duration_since(since) < breaker.window);
        let sum = |of: fn(&Counts) -> u32| self.counts.iter().filter(is_recent).map(|c| u64::from(of(c))).sum::<u64>();
        let (calls, failures) = (sum(|counts| counts.calls), sum(|counts| counts.failures));
        failed && calls >= breaker.minimum_calls.into() && failures * 100 >= calls * u64::from(breaker.failure_rate)
    }
}

/// An attempt that was let through.
struct Permit<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
    is_settled: bool,
}

impl Permit<'_> {
    fn settle(mut self, failed: bool) {
        self.is_settled = true;
        self.breaker.settle(self.is_probe, Some(failed));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.breaker.settle(self.is_probe, None);
        }
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

impl BreakerState {
    /// The word for it: `closed`, `open` or `half-open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("name", &self.name).field("state", &self.state()).finish_non_exhaustive()
    }
}

/// An attempt was not made, for its breaker is open.
///
/// Permanent, unless the deadline of the call leaves time for the breaker to become half-open: then the retry waits for
/// that. [`std::io::Error`], `String`, boxed errors, `anyhow::Error` and, with the feature, `reqwest::Error` are made from it; for an error of
/// yours write `impl From<BreakerOpen>` (with thiserror: a variant with `#[from] BreakerOpen`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerOpen {
    name: &'static str,
    half_open_in: Duration,
    /// The deadline of the attempt leaves time for that.
    is_in_time: bool,
}

impl BreakerOpen {
    /// The breaker's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How long it will be until a probe is let through; zero where one is under way.
    #[must_use]
    pub const fn half_open_in(&self) -> Duration {
        self.half_open_in
    }
}

impl fmt::Display for BreakerOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the breaker `{}` is open", self.name)
    }
}

impl Error for BreakerOpen {}

impl Retryable for BreakerOpen {
    fn class(&self) -> Class {
        if self.is_in_time { Class::Transient } else { Class::Permanent }
    }

    fn server_delay(&self) -> Option<Duration> {
        self.is_in_time.then_some(self.half_open_in)
    }

    fn is_unprocessed(&self) -> bool {
        true
    }
}

impl From<BreakerOpen> for io::Error {
    fn from(open: BreakerOpen) -> Self {
        Self::other(open)
    }
}

impl From<BreakerOpen> for String {
    fn from(open: BreakerOpen) -> Self {
        open.to_string()
    }
}

/// An outcome that can say that its attempt was not made.
///
/// Implemented for `Result<T, E>` where `E: From<BreakerOpen>`, and for `Option<T>`, where it is `None`.
#[diagnostic::on_unimplemented(
    message = "an attempt that a breaker does not let through cannot give a `{Self}`",
    label = "cannot be made from `BreakerOpen`",
    note = "write `impl From<retry_runtime::BreakerOpen> for` your error type (thiserror: `#[from] BreakerOpen`)"
)]
pub trait FromBreakerOpen: Sized {
    /// The outcome of an attempt that was not made.
    fn from_breaker_open(open: BreakerOpen) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<BreakerOpen>> FromBreakerOpen for Result<T, E> {
    fn from_breaker_open(open: BreakerOpen) -> Self {
        Err(open.into())
    }
}

#[diagnostic::do_not_recommend]
impl<T> FromBreakerOpen for Option<T> {
    fn from_breaker_open(_: BreakerOpen) -> Self {
        None
    }
}
