//! The half of the executor that only a failure or a listener needs: cold, not generic, and compiled once.

use core::fmt::Display;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

#[cfg(feature = "tower")]
use crate::classify::class::Class;
use crate::classify::class::Failure;
use crate::classify::condition::{Classification, Condition, Verdict};
use crate::classify::timed_out::TimedOut;
#[cfg(feature = "connection-events")]
use crate::context::connections::Entry;
use crate::context::scope;
#[cfg(feature = "testing")]
use crate::context::simulation;
use crate::engine::call::Call;
use crate::engine::state::{CallState, Phase};
use crate::engine::time_limit::LimitKind;
#[cfg(feature = "connection-events")]
use crate::observe::connection::{Connection, ConnectionEvent};
use crate::observe::event::{DelaySource, Event, EventKind, GiveUp};
use crate::observe::reason::FallbackReason;
#[cfg(feature = "tracing")]
use crate::observe::sink::subscriber_listens;
use crate::observe::sink::{anybody_listens, emit};
#[cfg(feature = "tracing")]
use crate::observe::spans::Spans;
use crate::observe::stats::count;
use crate::observe::track;
use crate::policy::attempt::Attempt;
use crate::policy::budget::Budget;
use crate::policy::builder::Drawn;
use crate::policy::builder::Policy;
use crate::policy::nested::Nested;
use crate::util::clock::Instant;
use crate::util::mask::Masked;
use crate::util::sleep::Sleep;
use crate::util::switch::is_enabled;

/// An attempt starts.
#[cold]
#[inline(never)]
pub(crate) fn begin(state: &mut CallState, call: &dyn Call) {
    #[cfg(feature = "connection-events")]
    tell(state, call);
    let (is_retry, number) = (is_due(state), state.number());
    if anybody_listens() {
        // Somebody may have begun to listen since the call began.
        state.watch();
    }
    // Not for `log`, which would have a line for each span.
    #[cfg(feature = "tracing")]
    if subscriber_listens() {
        state.spans_mut().into_iter().for_each(|spans| spans.start(call.name(), number));
    }
    // If an observer panics at this event, the retry is not made, and its tokens go back.
    state.set_phase(if is_retry { Phase::Pause } else { Phase::Idle });
    if state.is_watched() {
        say_of(number, state, call, EventKind::AttemptStarted);
    }
    begin_unheard(state);
}

/// An attempt starts, and there is nothing to emit.
#[cold]
#[inline(never)]
pub(crate) fn begin_unheard(state: &mut CallState) {
    made(state);
    state.set_phase(Phase::Attempt);
}

/// True from the decision to retry until the retry is made.
fn is_due(state: &CallState) -> bool {
    state.phase() == Phase::Pause
}

/// Notes that a retry which was due is made now: an attempt begins, or a loop that runs its attempts by itself reports an outcome.
fn made(state: &mut CallState) {
    if is_due(state) {
        state.set_phase(Phase::Idle);
        track::made();
    }
}

/// Another copy of the attempt that runs starts.
#[cold]
#[inline(never)]
pub(crate) fn hedged(state: &CallState, call: &dyn Call, copy: u32, after: Duration) {
    say(state, call, EventKind::Hedged { copy, after });
}

/// The attempt that ran, if one did, has its outcome. Its span is open until what followed has been said.
#[inline]
pub(crate) fn end(state: &mut CallState) {
    if state.phase() != Phase::Ended {
        state.set_phase(Phase::Idle);
    }
}

/// What the outcome of the attempt means has been said.
#[inline]
fn close_attempt(_rare: &mut CallState) {
    #[cfg(feature = "tracing")]
    _rare.spans_mut().into_iter().for_each(Spans::end_attempt);
}

/// The call is dropped, after its end or before.
#[cold]
#[inline(never)]
pub(crate) fn dropped(state: CallState, call: &dyn Call) {
    let is_due = is_due(&state);
    if is_due {
        // The retry that was paid for is not made.
        budget(call).zip(state.paid()).inspect(|(budget, paid)| budget.give_back(*paid));
    }
    if (is_due || state.phase() == Phase::Attempt) && !std::thread::panicking() {
        count::cancelled(&state, call);
        if is_heard(&state) {
            // The number has counted on already, but a pause belongs to the attempt before it.
            say_of(state.number() - u32::from(is_due), &state, call, EventKind::Cancelled);
        }
    }
}

#[cold]
pub(crate) fn succeeded(state: &mut CallState, call: &dyn Call) {
    made(state);
    let is_heard = is_heard(state);
    if let Some(budget) = budget(call).filter(|_| state.phase() != Phase::Ended) {
        match state.paid() {
            None => budget.succeeded_at_once(),
            Some(paid) => budget.give_back(paid),
        }
    }
    count::succeeded(state, call);
    state.set_phase(Phase::Ended);
    if is_heard {
        say_aloud(state, call, EventKind::Succeeded);
    }
    close_attempt(state);
}

/// Says what happened on the wire since it was last asked. What a pool did in a task of its own was said by nobody yet.
#[cfg(feature = "connection-events")]
#[cold]
#[inline(never)]
pub(crate) fn tell(state: &CallState, call: &dyn Call) {
    if state.phase() == Phase::Ended {
        return;
    }
    for Entry { attempt, at, what } in state.log().iter().flat_map(|log| log.take()) {
        let elapsed = started(state, call).map_or(Duration::ZERO, |started| at.saturating_duration_since(started));
        let attempts = call.policy().attempts_limit();
        emit(state, call, &Event { name: call.name(), attempt, attempts, elapsed, kind: EventKind::Connection(&what) });
    }
}

/// Says whether the connection that a response came over was there before.
#[cfg(feature = "connection-events")]
#[cold]
#[inline(never)]
pub(crate) fn came_over(state: &CallState, call: &dyn Call, connection: Option<Connection>) {
    let Some((log, connection)) = state.log().zip(connection) else { return };
    if log.is_reused(connection, state.number()) {
        say(state, call, EventKind::Connection(&ConnectionEvent::Reused { connection }));
    }
}

/// The attempt that runs, or is about to.
pub(crate) fn attempt(state: &CallState, call: &dyn Call) -> Attempt {
    Attempt::new(
        state.number(),
        call.policy(),
        started(state, call),
        call.history().and_then(|history| history.last_failure),
    )
}

/// What follows an outcome of an annotated function.
#[cold]
#[inline(never)]
pub(crate) fn decide(
    state: &mut CallState,
    call: &mut dyn Call,
    condition: &Condition,
    classification: Classification,
    reason: &dyn Display,
) -> Option<Duration> {
    #[cfg(feature = "connection-events")]
    came_over(state, call, classification.connection());
    let verdict = condition.verdict(classification);
    if verdict == Verdict::Done {
        succeeded(state, call);
        return None;
    }
    let unnamed;
    let reason = if classification.is_error() {
        reason
    } else {
        unnamed = if classification.refused { FallbackReason::Refused } else { FallbackReason::of(verdict) };
        &unnamed
    };
    settle(state, call, verdict, reason)
}

/// What follows a failure: the delay before the next attempt, or nothing.
#[inline]
pub(crate) fn settle(
    state: &mut CallState,
    call: &mut dyn Call,
    verdict: Verdict,
    reason: &dyn Display,
) -> Option<Duration> {
    let failure = verdict.failure()?;
    let reason = &Masked(reason);
    let failed = EventKind::AttemptFailed { class: failure.class(), status: failure.status(), reason };
    made(state);
    let has_ended = state.phase() == Phase::Ended;
    let is_heard = is_heard(state);
    end(state);
    if is_heard {
        say_aloud(state, call, failed);
        close_attempt(state);
    }
    let mut next = next_delay(state, call, verdict, failure);
    let paid = match call.policy().budget {
        None => 0,
        Some(budget) => pay(budget(), state, failure, &mut next),
    };
    let number = state.number();
    // Before the user's code is called: if that panics, the tokens go back.
    match next {
        Ok(_) => state.count(paid),
        Err(_) => state.set_phase(Phase::Ended),
    }
    tell_decision(state, call, failure, next, has_ended.then_some(failed), number);
    if !matches!(next, Err(GiveUp::Exhausted) if number == 1) {
        // A call that has but one attempt says nothing; it may be a failure inside of it that was retried.
        scope::set_nested_exhausted(next.is_err_and(had_its_retries));
    }
    track::note(number, failure, reason, next.ok().map(|(delay, _)| delay));
    let (delay, _) = next.ok()?;
    if let Some(history) = call.history_mut() {
        (history.last_failure, history.previous) = (Some(failure), delay);
    }
    #[cfg(feature = "testing")]
    simulation::skip(state, call, delay);
    Some(delay)
}

/// Counts the decision and emits it. A call that had ended counts and emits nothing, unless it goes on: then the event `failed` comes
/// first.
#[inline(always)]
fn tell_decision(
    state: &CallState,
    call: &dyn Call,
    failure: Failure,
    next: Next,
    failed: Option<EventKind<'_>>,
    number: u32,
) {
    if failed.is_some() && next.is_err() {
        return;
    }
    count::failed(number, call, failure, next);
    if !state.is_watched() && !anybody_listens() {
        return;
    }
    if let Some(failed) = failed {
        say_of(number, state, call, failed);
    }
    let kind = match next {
        Ok((delay, source)) => EventKind::Waiting { delay, source, asked: asked(failure, source) },
        Err(why) => EventKind::GaveUp(why),
    };
    say_of(number, state, call, kind);
}

fn asked(failure: Failure, source: DelaySource) -> Option<Duration> {
    match source {
        DelaySource::Backoff => None,
        DelaySource::Server => failure.server_delay(),
        DelaySource::Breaker => failure.breaker_delay(),
    }
}

/// Whether a call that gives up has done what a retry of the call around it would do again.
fn had_its_retries(why: GiveUp) -> bool {
    match why {
        GiveUp::Exhausted | GiveUp::Deadline | GiveUp::ServerDelay(_) | GiveUp::Budget | GiveUp::Nested => true,
        GiveUp::Permanent | GiveUp::NotIdempotent | GiveUp::BodyUsedUp | GiveUp::Disabled => false,
    }
}

/// Lets those inside of the attempt that runs know until when there is time.
pub(crate) fn limited(state: &CallState, call: &dyn Call, cuts_off: bool) -> Option<scope::DeadlineScope> {
    let length = call.policy().deadline?;
    let at = started(state, call)?.checked_add(length)?;
    Some(scope::DeadlineScope::new(scope::Deadline { at, length, cuts_off }))
}

fn budget(call: &dyn Call) -> Option<&'static Budget> {
    call.policy().budget.map(|budget| budget())
}

/// Pays for a retry for which all else is well; gives what that took.
#[inline(never)]
fn pay(budget: &Budget, state: &CallState, failure: Failure, next: &mut Next) -> u16 {
    if state.number() == 1 {
        budget.count_call();
    }
    if next.is_err() {
        return 0;
    }
    budget.pay(failure.is_timeout()).unwrap_or_else(|| {
        *next = Err(GiveUp::Budget);
        0
    })
}

/// The true delay before the next attempt and where it comes from, or why there is none.
pub(crate) type Next = Result<(Duration, DelaySource), GiveUp>;

#[inline(always)]
fn next_delay(state: &CallState, call: &dyn Call, verdict: Verdict, failure: Failure) -> Next {
    let policy = call.policy();
    match verdict {
        Verdict::Retry(_) => {}
        Verdict::NotSafe(_, bar) => return Err(bar.into()),
        Verdict::Done | Verdict::GiveUp(_) => return Err(GiveUp::Permanent),
    }
    if policy.nested == Nested::Once && state.nested_exhausted() {
        return Err(GiveUp::Nested);
    }
    // Asked for only by some policies.
    let attempt = || Attempt::new(state.number(), policy, started(state, call), Some(failure));
    let previous = || call.history().map_or(Duration::ZERO, |history| history.previous);
    let is_limited = policy.deadline.is_some() || scope::deadline().is_some();
    let remaining = || if is_limited { attempt().remaining() } else { None };
    if remaining().is_some_and(|remaining| remaining.is_zero()) {
        return Err(GiveUp::Deadline);
    }
    if policy.attempts_limit().is_some_and(|limit| state.number() >= limit) {
        return Err(GiveUp::Exhausted);
    }
    if !is_enabled() {
        return Err(GiveUp::Disabled);
    }
    let drawn = policy.delay(state.number(), attempt, previous);
    let (delay, source) = with_asked(policy, drawn, failure)?;
    match remaining() {
        Some(remaining) if delay >= remaining => Err(GiveUp::Deadline),
        _ => Ok((delay, source)),
    }
}

/// The delay of a breaker or a server is a lower bound of the drawn one.
#[inline(always)]
fn with_asked(policy: &Policy, drawn: Drawn, failure: Failure) -> Next {
    let longer =
        |delay, source| if delay > drawn.delay { (delay, source) } else { (drawn.delay, DelaySource::Backoff) };
    if let Some(asked) = failure.breaker_delay() {
        // Without jitter: of the callers that return together one is the probe, and the others wait for its end.
        return Ok(longer(asked, DelaySource::Breaker));
    }
    match (failure.server_delay(), policy.retry_after) {
        (Some(asked), Some(limit)) if asked > limit => Err(GiveUp::ServerDelay(asked)),
        (Some(asked), Some(_)) => Ok(longer(policy.at_least(asked, drawn), DelaySource::Server)),
        _ => Ok((drawn.delay, DelaySource::Backoff)),
    }
}

/// The attempt that starts is the last one, and its outcome will not be reported.
#[cfg(feature = "tower")]
#[cold]
#[inline(never)]
pub(crate) fn abandoned(state: &mut CallState, call: &dyn Call, why: GiveUp) {
    let last = call.history().and_then(|history| history.last_failure);
    count::failed(state.number(), call, last.unwrap_or(Failure::new(Class::Unknown)), Err(why));
    say(state, call, EventKind::GaveUp(why));
    close_attempt(state);
    state.set_phase(Phase::Ended);
}

/// Waits for the end of a pause. A zero delay takes no timer, but lets other tasks run once.
#[cold]
#[inline(never)]
pub(crate) fn poll_pause<S: Sleep>(
    state: &mut CallState,
    sleep: &S,
    mut timer: Pin<&mut S::Timer>,
    is_armed: &mut bool,
    delay: Duration,
    cx: &mut Context<'_>,
) -> Poll<()> {
    #[cfg(feature = "testing")]
    let delay = simulation::slept(delay);
    if !*is_armed {
        *is_armed = true;
        if delay.is_zero() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        sleep.arm(timer.as_mut(), state, delay);
    }
    if !delay.is_zero() {
        ready!(sleep.poll(timer, state, cx));
    }
    Poll::Ready(())
}

/// Whether the deadline has passed before an attempt started: the pause before it may have ended late.
pub(crate) fn too_late(state: &CallState, call: &dyn Call) -> Option<TimedOut> {
    let attempt = attempt(state, call);
    let has_passed = |remaining: Option<Duration>| remaining.is_some_and(|remaining| remaining.is_zero());
    if has_passed(attempt.own_remaining()) {
        return Some(timed_out(LimitKind::Deadline, state, call));
    }
    has_passed(attempt.outer_remaining()).then(|| timed_out(LimitKind::OuterDeadline, state, call))
}

/// Waits for the time limit of the attempt that runs, if there is one.
#[cold]
#[inline(never)]
pub(crate) fn poll_limit<S: Sleep>(
    state: &mut CallState,
    call: &dyn Call,
    sleep: &S,
    mut timer: Pin<&mut S::Timer>,
    armed_for: &mut Option<LimitKind>,
    cx: &mut Context<'_>,
) -> Poll<TimedOut> {
    let was_armed = armed_for.is_some();
    let ender = match *armed_for {
        Some(ender) => ender,
        None => {
            let Some((limit, ender)) = limit(state, call) else { return Poll::Pending };
            sleep.arm(timer.as_mut(), state, limit);
            *armed_for.insert(ender)
        }
    };
    // An attempt that waits but once never looks at the clock here.
    if sleep.poll(timer, state, cx).is_pending() && !(was_armed && sleep.is_over(state)) {
        return Poll::Pending;
    }
    // A timer of the user's that ends early ends the attempt all the same.
    Poll::Ready(timed_out(ender, state, call))
}

/// The limit that ends the attempt first, and how long that is from now.
fn limit(state: &CallState, call: &dyn Call) -> Option<(Duration, LimitKind)> {
    let attempt = attempt(state, call);
    let mut first = attempt.own_remaining().map(|limit| (limit, LimitKind::Deadline));
    let mut compare = |limit: Option<Duration>, ender| {
        let sooner = limit.filter(|limit| first.is_none_or(|(first, _)| *limit < first));
        first = sooner.map(|limit| (limit, ender)).or(first);
    };
    compare(attempt.outer_remaining(), LimitKind::OuterDeadline);
    compare(call.policy().attempt_timeout, LimitKind::AttemptTimeout);
    first
}

/// Names the limit that ended an attempt.
fn timed_out(ender: LimitKind, state: &CallState, call: &dyn Call) -> TimedOut {
    let policy = call.policy();
    match ender {
        LimitKind::AttemptTimeout => TimedOut::attempt(policy.attempt_timeout.unwrap_or_default()),
        LimitKind::Deadline => TimedOut::deadline(policy.deadline.unwrap_or_default()),
        // Whoever moved the call out of the one around it finds the time that it took.
        LimitKind::OuterDeadline => {
            TimedOut::deadline(scope::deadline_length().unwrap_or_else(|| attempt(state, call).elapsed()))
        }
    }
}

fn started(state: &CallState, call: &dyn Call) -> Option<Instant> {
    call.history().map(|history| history.started).or_else(|| state.watched_since())
}

/// Whoever observes has the call watched from its start.
#[inline(always)]
fn is_heard(state: &CallState) -> bool {
    (state.is_watched() || anybody_listens()) && state.phase() != Phase::Ended
}

#[inline(always)]
fn say(state: &CallState, call: &dyn Call, kind: EventKind<'_>) {
    if is_heard(state) {
        say_aloud(state, call, kind);
    }
}

#[cold]
#[inline(never)]
fn say_aloud(state: &CallState, call: &dyn Call, kind: EventKind<'_>) {
    say_of(state.number(), state, call, kind);
}

/// Says what happened to the attempt of this number.
#[cold]
#[inline(never)]
fn say_of(attempt: u32, state: &CallState, call: &dyn Call, kind: EventKind<'_>) {
    let elapsed = started(state, call).map_or(Duration::ZERO, |started| started.elapsed());
    emit(state, call, &Event { name: call.name(), attempt, attempts: call.policy().attempts_limit(), elapsed, kind });
}

#[cfg(test)]
mod tests {
    use core::future::pending;
    use core::pin::pin;
    use core::task::{Context, Waker};
    use core::time::Duration;

    use crate::engine::executor::Executor;
    use crate::policy::budget::Budget;
    use crate::policy::builder::Policy;

    /// In here, for the package of the other tests switches on the features that count calls.
    #[test]
    fn a_retry_that_is_dropped_while_it_runs_is_paid_for_though_its_pause_was_dropped() {
        static BUDGET: Budget = Budget::new();
        let policy = Policy::fixed(Duration::ZERO).budget(|| &BUDGET);
        // Not on tokio's timer, which is a feature.
        let mut retry = Executor::new(&policy).sleep(|_| pending());
        retry.attempt_blocking(|| ());
        drop(retry.pause("no").unwrap());
        let polled = pin!(retry.attempt_to_end(pending::<()>())).poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        drop(retry);
        assert_eq!(BUDGET.tokens(), 495);
    }
}
