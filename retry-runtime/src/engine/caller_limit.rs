//! `LimitedByCaller`: the time limit of an attempt that the caller's deadline cuts off, whatever its policy is.

use core::pin::Pin;
use core::task::{Context, Poll};

use crate::classify::timed_out::{FromTimedOut, TimedOut};
use crate::context::caller;
use crate::engine::attempt_context::AttemptContext;
use crate::engine::call::Call;
use crate::engine::core::Core;
use crate::engine::time_limit::{LimitTimer, Limited, TimeLimit, limited};
use crate::util::clock::Instant;
use crate::util::sleep::{Sleep, TimerSlot};

/// The time limits of the policy, and the deadline of the caller outside this process also without them.
///
/// For attempts whose error is known to be made from [`TimedOut`]. A type of its own, so that other attempts do not look for that deadline.
pub(crate) struct LimitedByCaller<O>(Limited<O>);

#[inline(always)]
pub(crate) fn limited_by_caller<O: FromTimedOut>() -> LimitedByCaller<O> {
    LimitedByCaller(limited())
}

/// The error of an attempt that would start after the caller's deadline.
#[cold]
#[inline(never)]
pub(crate) fn too_late() -> Option<TimedOut> {
    let deadline = caller::deadline()?;
    (deadline.at <= Instant::now()).then(|| deadline.timed_out())
}

impl<O> AttemptContext for LimitedByCaller<O> {
    const CUTS_OFF: bool = Limited::<O>::CUTS_OFF;
    const SETS_CONTEXT: bool = Limited::<O>::SETS_CONTEXT;
}

impl<S: TimerSlot, O> LimitTimer<S> for LimitedByCaller<O> {
    type Timer = <Limited<O> as LimitTimer<S>>::Timer;
    type Before = <Limited<O> as LimitTimer<S>>::Before;
    type After = <Limited<O> as LimitTimer<S>>::After;

    fn mark(before: &mut Self::Before, after: &mut Self::After) {
        <Limited<O> as LimitTimer<S>>::mark(before, after);
    }

    fn timer(sleep: &S) -> Self::Timer {
        Limited::<O>::timer(sleep)
    }
}

impl<S: Sleep, O: FromTimedOut> TimeLimit<S, O> for LimitedByCaller<O> {
    fn before<C: Call>(&self, core: &Core<C, S>, at_once: bool) -> Option<O> {
        if core.active.call.policy().deadline.is_some() {
            return self.0.before(core, at_once);
        }
        if caller::has_deadline() { too_late().map(O::from_timed_out) } else { None }
    }

    fn poll<C: Call>(&self, timer: Pin<&mut Self::Timer>, core: &mut Core<C, S>, cx: &mut Context<'_>) -> Poll<O> {
        if caller::has_deadline() { self.0.poll_limit(timer, core, cx) } else { self.0.poll(timer, core, cx) }
    }
}
