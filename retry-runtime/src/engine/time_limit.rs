//! Time limits: whether an attempt can be cut off, and the outcome that it has then.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::classify::timed_out::{FromTimedOut, TimedOut};
use crate::context::values::OuterDeadline;
use crate::context::{caller, deadline, expiry};
use crate::engine::attempt_context::AttemptContext;
use crate::engine::call::Call;
use crate::engine::core::{ActiveCall, Core};
use crate::engine::situation::{own_deadline, started};
use crate::engine::state::CallState;
use crate::util::clock::Instant;
use crate::util::sleep::{Sleep, TimerSlot};

/// The timer of a time limit. It is separate from [`TimeLimit`] so that the future of an attempt is `Send` whatever its outcome
/// borrows: to find out, rustc gives each lifetime in the fields of a future a different name, and [`Limited<O>`] is a
/// [`TimeLimit`] for the same `O` only.
pub trait LimitTimer<S: TimerSlot>: AttemptContext + Sized {
    /// The place of the timer.
    #[doc(hidden)]
    type Timer;

    /// Dropped before the attempt.
    #[doc(hidden)]
    type Before: Default;

    /// Dropped after the attempt.
    #[doc(hidden)]
    type After: Default;

    /// The attempt is cut off.
    #[doc(hidden)]
    #[inline(always)]
    fn mark(_: &mut Self::Before, _: &mut Self::After) {}

    #[doc(hidden)]
    fn timer(sleep: &S) -> Self::Timer;
}

/// A limit on the time of an attempt whose outcome is an `O`, or none.
pub trait TimeLimit<S: TimerSlot, O>: LimitTimer<S> {
    /// The attempt is about to start. Returns its outcome if it is too late for that. `at_once` is true if no time has passed
    /// since the beginning of the call or the end of the pause.
    #[doc(hidden)]
    #[inline(always)]
    fn before<C: Call>(&self, _: &Core<C, S>, _at_once: bool) -> Option<O> {
        None
    }

    /// The attempt is pending. Ready with its outcome if the attempt is cut off.
    #[doc(hidden)]
    #[inline(always)]
    fn poll<C: Call>(&self, _: Pin<&mut Self::Timer>, _: &mut Core<C, S>, _: &mut Context<'_>) -> Poll<O> {
        Poll::Pending
    }
}

/// No time limit.
#[derive(Clone, Copy, Debug)]
pub struct Unlimited;

impl AttemptContext for Unlimited {}

impl<S: TimerSlot> LimitTimer<S> for Unlimited {
    type Timer = ();
    type Before = ();
    type After = ();

    fn timer(_: &S) {}
}

impl<S: TimerSlot, O> TimeLimit<S, O> for Unlimited {}

/// No time limit and no deadline, but nested calls see the other context of the call.
#[derive(Clone, Copy, Debug)]
pub struct ScopedOnly;

impl AttemptContext for ScopedOnly {
    const SETS_CONTEXT: bool = true;
    const MAY_HAVE_DEADLINE: bool = false;
}

impl<S: TimerSlot> LimitTimer<S> for ScopedOnly {
    type Timer = ();
    type Before = ();
    type After = ();

    fn timer(_: &S) {}
}

impl<S: TimerSlot, O> TimeLimit<S, O> for ScopedOnly {}

/// The deadline and the attempt timeout cut the attempt off.
// A function pointer, so that the bound which makes it is required in one place only: the error of that bound is the user's.
pub struct Limited<O>(fn(TimedOut) -> O);

/// Cuts off attempts whose outcome can be made from [`TimedOut`].
#[inline(always)]
pub fn limited<O: FromTimedOut>() -> Limited<O> {
    Limited(O::from_timed_out)
}

/// Dropped before an attempt. If the attempt was cut off, values inside it can find that out when they are dropped.
#[derive(Debug, Default)]
pub struct BeforeDrop {
    is_cut_off: bool,
}

impl Drop for BeforeDrop {
    #[inline]
    fn drop(&mut self) {
        if self.is_cut_off {
            expiry::begin();
        }
    }
}

/// Dropped after an attempt.
#[derive(Debug, Default)]
pub struct AfterDrop {
    is_cut_off: bool,
}

impl Drop for AfterDrop {
    #[inline]
    fn drop(&mut self) {
        if self.is_cut_off {
            expiry::end();
        }
    }
}

/// Cuts off attempts, whatever their outcome, if it can be made from [`TimedOut`]. For a type that names its limit before its outcome.
/// `CHOSEN` is true if the call asks for it, so that a predicate does not end it.
#[derive(Clone, Copy, Debug)]
pub struct CutsOff<const CHOSEN: bool = false>;

impl<const CHOSEN: bool> AttemptContext for CutsOff<CHOSEN> {
    const CUTS_OFF: bool = true;
}

impl<S: TimerSlot, const CHOSEN: bool> LimitTimer<S> for CutsOff<CHOSEN> {
    type Timer = <Limited<()> as LimitTimer<S>>::Timer;
    type Before = BeforeDrop;
    type After = AfterDrop;

    fn mark(before: &mut BeforeDrop, after: &mut AfterDrop) {
        <Limited<()> as LimitTimer<S>>::mark(before, after);
    }

    fn timer(sleep: &S) -> Self::Timer {
        Limited::<()>::timer(sleep)
    }
}

impl<S: Sleep, O: FromTimedOut, const CHOSEN: bool> TimeLimit<S, O> for CutsOff<CHOSEN> {
    fn before<C: Call>(&self, core: &Core<C, S>, at_once: bool) -> Option<O> {
        limited().before(core, at_once)
    }

    fn poll<C: Call>(
        &self,
        timer: Pin<&mut ArmedLimit<S::Timer>>,
        core: &mut Core<C, S>,
        cx: &mut Context<'_>,
    ) -> Poll<O> {
        limited().poll(timer, core, cx)
    }
}

/// The limit of a call that gets a predicate on its errors. They may have any type then, so attempts are cut off only if the call asks for it.
pub trait LimitOfAnyError<S: TimerSlot> {
    /// The limit from then on.
    type Limit: LimitTimer<S>;

    #[doc(hidden)]
    fn of_any_error(self) -> Self::Limit;
}

impl<S: TimerSlot> LimitOfAnyError<S> for Unlimited {
    type Limit = Self;

    fn of_any_error(self) -> Self {
        self
    }
}

impl<S: TimerSlot> LimitOfAnyError<S> for CutsOff {
    type Limit = Unlimited;

    fn of_any_error(self) -> Unlimited {
        Unlimited
    }
}

impl<S: TimerSlot> LimitOfAnyError<S> for CutsOff<true> {
    type Limit = Self;

    fn of_any_error(self) -> Self {
        self
    }
}

/// The limit of a call that may become blocking: any but that of a call which asks to be cut off.
#[diagnostic::on_unimplemented(
    message = "a blocking attempt cannot be cut off",
    label = "blocks, but the call has `cut_off`",
    note = "remove `.cut_off()`, and set a timeout in the client instead"
)]
pub trait BlockingLimit {}

impl BlockingLimit for Unlimited {}

impl BlockingLimit for CutsOff {}

/// The kind of limit that ends an attempt.
#[derive(Clone, Copy, Debug)]
enum LimitKind {
    AttemptTimeout,
    /// The call's own deadline.
    Deadline,
    /// The deadline of a call around, or of the caller outside this process.
    OuterDeadline,
}

pin_project! {
    /// The time limit of an attempt. Its timer is armed when the attempt is first pending.
    #[derive(Debug)]
    pub struct ArmedLimit<T> {
        // The limit that the timer is armed for.
        kind: Option<LimitKind>,
        #[pin]
        timer: T,
    }
}

impl<O> AttemptContext for Limited<O> {
    const CUTS_OFF: bool = true;
    const SETS_CONTEXT: bool = true;
}

impl<S: TimerSlot, O> LimitTimer<S> for Limited<O> {
    type Timer = ArmedLimit<S::Timer>;
    type Before = BeforeDrop;
    type After = AfterDrop;

    fn mark(before: &mut BeforeDrop, after: &mut AfterDrop) {
        (before.is_cut_off, after.is_cut_off) = (true, true);
    }

    fn timer(sleep: &S) -> ArmedLimit<S::Timer> {
        ArmedLimit { kind: None, timer: sleep.idle() }
    }
}

impl<S: Sleep, O> TimeLimit<S, O> for Limited<O> {
    #[inline]
    fn before<C: Call>(&self, core: &Core<C, S>, at_once: bool) -> Option<O> {
        let ActiveCall { call, state } = &core.active;
        let length = call.policy().deadline?;
        // Before the first attempt, only a deadline around this call can have passed. Before a retry, the pause may have ended late.
        if at_once && state.number() == 1 && !length.is_zero() && !deadline::exists() {
            return None;
        }
        too_late(state, call).map(self.0)
    }

    #[inline]
    fn poll<C: Call>(
        &self,
        timer: Pin<&mut ArmedLimit<S::Timer>>,
        core: &mut Core<C, S>,
        cx: &mut Context<'_>,
    ) -> Poll<O> {
        if core.active.call.policy().limits_attempts() { self.poll_limit(timer, core, cx) } else { Poll::Pending }
    }
}

impl<O> Limited<O> {
    /// [`poll`](TimeLimit::poll) of an attempt whose policy need not have a limit.
    #[inline(always)]
    pub(super) fn poll_limit<C: Call, S: Sleep>(
        &self,
        mut timer: Pin<&mut ArmedLimit<S::Timer>>,
        core: &mut Core<C, S>,
        cx: &mut Context<'_>,
    ) -> Poll<O> {
        let Core { active: ActiveCall { call, state }, sleep } = core;
        if is_over(state, call, sleep, timer.as_mut(), cx) {
            return Poll::Ready((self.0)(cut_off(state, call, timer.kind)));
        }
        Poll::Pending
    }
}

impl<O> fmt::Debug for Limited<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limited")
    }
}

/// Returns the error of a deadline that has passed before the attempt starts.
#[cold]
#[inline(never)]
fn too_late(state: &CallState, call: &dyn Call) -> Option<TimedOut> {
    let now = Instant::now();
    let passed = deadlines(state, call).find(|(at, _)| *at <= now);
    passed.map(|(_, kind)| timed_out(kind, state, call))
}

/// The call's own deadline, and the one around it.
fn deadlines(state: &CallState, call: &dyn Call) -> impl Iterator<Item = (Instant, LimitKind)> {
    let own = own_deadline(state, call).map(|at| (at, LimitKind::Deadline));
    let outer = if deadline::exists() { outer_deadline(call) } else { None };
    own.into_iter().chain(outer.map(|outer| (outer.at, LimitKind::OuterDeadline)))
}

/// The deadline around the call that cuts its attempts off. A call without time limits is only cut off by that of the caller outside this
/// process, if at all.
#[cold]
#[inline(never)]
fn outer_deadline(call: &dyn Call) -> Option<OuterDeadline> {
    if call.policy().limits_attempts() { deadline::current() } else { caller::deadline() }
}

/// Waits for the time limit of the current attempt, if there is one. Returns true if the limit ends the attempt.
///
/// The call is a trait object, so that this is compiled once for each kind of timer instead of once for each call.
#[cold]
#[inline(never)]
fn is_over<S: Sleep>(
    state: &mut CallState,
    call: &dyn Call,
    sleep: &S,
    limit: Pin<&mut ArmedLimit<S::Timer>>,
    cx: &mut Context<'_>,
) -> bool {
    let mut limit = limit.project();
    let was_armed = limit.kind.is_some();
    if !was_armed {
        *limit.kind = arm_first_limit(state, call, sleep, limit.timer.as_mut());
        if limit.kind.is_none() {
            return false;
        }
    }
    // A timer of the user's that ends early ends the attempt all the same. An attempt that is pending only once never reads the clock here.
    sleep.poll(limit.timer, state, cx).is_ready() || (was_armed && sleep.is_over(state))
}

/// Starts the timer of the limit that ends the attempt first.
#[inline(never)]
fn arm_first_limit<S: Sleep>(
    state: &mut CallState,
    call: &dyn Call,
    sleep: &S,
    timer: Pin<&mut S::Timer>,
) -> Option<LimitKind> {
    let (limit, kind) = first_limit(state, call)?;
    match limit {
        Limit::For(time) => sleep.arm(timer, state, time),
        Limit::Until(end) => sleep.arm_until(timer, state, end),
    }
    Some(kind)
}

/// The error of an attempt that this limit ends.
#[cold]
#[inline(never)]
fn cut_off(state: &CallState, call: &dyn Call, kind: Option<LimitKind>) -> TimedOut {
    timed_out(kind.unwrap_or(LimitKind::Deadline), state, call)
}

/// The time that is left to an attempt.
enum Limit {
    For(Duration),
    Until(Instant),
}

fn first_limit(state: &CallState, call: &dyn Call) -> Option<(Limit, LimitKind)> {
    // Of two equal deadlines, the first one.
    let deadline = deadlines(state, call).min_by_key(|(at, _)| *at);
    let is_sooner = |timeout: &Duration| {
        // Reads the clock only if there are two limits to compare.
        deadline.is_none_or(|(at, _)| *timeout < at.saturating_duration_since(Instant::now()))
    };
    let timeout = call.policy().attempt_timeout.filter(is_sooner);
    let timeout = timeout.map(|timeout| (Limit::For(timeout), LimitKind::AttemptTimeout));
    timeout.or_else(|| deadline.map(|(at, kind)| (Limit::Until(at), kind)))
}

/// The error that names the limit which ended an attempt.
fn timed_out(kind: LimitKind, state: &CallState, call: &dyn Call) -> TimedOut {
    let policy = call.policy();
    match kind {
        LimitKind::AttemptTimeout => TimedOut::attempt(policy.attempt_timeout.unwrap_or_default()),
        LimitKind::Deadline => TimedOut::deadline(policy.deadline.unwrap_or_default()),
        LimitKind::OuterDeadline => match outer_deadline(call) {
            Some(outer) => outer.timed_out(),
            // A call that has been moved out of the one around it gets the time that it took.
            None => TimedOut::deadline(started(state, call).map_or(Duration::ZERO, |started| started.elapsed())),
        },
    }
}
