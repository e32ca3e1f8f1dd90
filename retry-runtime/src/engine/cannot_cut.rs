//! `CannotCut`: the time limit of attempts that a run-time policy cannot cut off.

use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::engine::attempt_context::AttemptContext;
use crate::engine::call::Call;
use crate::engine::core::Core;
use crate::engine::time_limit::{LimitTimer, TimeLimit};
use crate::observe::spans;
use crate::util::sleep::TimerSlot;

/// No time limit, because the outcome cannot be made from [`TimedOut`](crate::TimedOut). If the policy has a limit all the same, the
/// first attempt emits a warning.
// For one type of outcome only, so that rustc can infer the `impl Trait` in an outcome whose limit it looks up.
#[derive(Debug)]
pub struct CannotCut<O> {
    /// True if the function has emitted its warning.
    warned: &'static AtomicBool,
    outcome: PhantomData<fn() -> O>,
}

impl<O> CannotCut<O> {
    pub(crate) const fn new(warned: &'static AtomicBool) -> Self {
        Self { warned, outcome: PhantomData }
    }
}

impl<O> AttemptContext for CannotCut<O> {}

impl<S: TimerSlot, O> LimitTimer<S> for CannotCut<O> {
    type Timer = ();
    type Before = ();
    type After = ();

    fn timer(_: &S) {}
}

impl<S: TimerSlot, O> TimeLimit<S, O> for CannotCut<O> {
    #[inline(always)]
    fn before<C: Call>(&self, core: &Core<C, S>, _: bool) -> Option<O> {
        let call = &core.active.call;
        if call.policy().limits_attempts() && !self.warned.load(Relaxed) {
            warn(call, self.warned);
        }
        None
    }
}

#[cold]
#[inline(never)]
fn warn(call: &dyn Call, warned: &AtomicBool) {
    let policy = call.policy();
    let limits = match (policy.attempt_timeout, policy.deadline) {
        (Some(_), Some(_)) => "the `attempt_timeout` and the `deadline`",
        (Some(_), None) => "the `attempt_timeout`",
        (None, _) => "the `deadline`",
    };
    let text = "because its error type cannot be made from `TimedOut`: write `impl From<retry_runtime::TimedOut> for` that type, or remove the \
                limit from the policy";
    spans::warn_once(
        warned,
        call.name(),
        policy.events,
        format_args!("cannot cut off attempts at {limits} of its policy, {text}"),
    );
}

/// Warns that the attempt timeout of a blocking call has no effect, once in the process.
#[inline]
pub(crate) fn warn_if_blocking(call: &dyn Call) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let policy = call.policy();
    if policy.attempt_timeout.is_some() && !WARNED.load(Relaxed) {
        let text = "cannot cut off attempts at the `attempt_timeout` of its policy, because it is blocking: set a timeout in the client, or \
                    remove the limit from the policy";
        spans::warn_once(&WARNED, call.name(), policy.events, format_args!("{text}"));
    }
}
