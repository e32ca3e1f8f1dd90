//! The half of the executor that only a failure or a listener needs: cold, not generic, and compiled once.

use core::fmt::Display;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

#[cfg(feature = "tower")]
use crate::Class;
use crate::call::Call;
use crate::condition::{Condition, Findings, Verdict};
use crate::count;
use crate::cut::Ender;
#[cfg(feature = "tracing")]
use crate::emit::subscriber_listens;
use crate::emit::{anybody_listens, emit};
use crate::event::{DelaySource, Event, EventKind, GiveUp};
use crate::mask::Masked;
use crate::policy::Drawn;
use crate::rare::{Phase, Rare};
use crate::reason::Unnamed;
use crate::scope;
use crate::sleep::{Instant, Sleep};
#[cfg(feature = "tracing")]
use crate::spans::Spans;
use crate::switch::is_enabled;
#[cfg(feature = "testing")]
use crate::testing::current;
use crate::timed_out::TimedOut;
use crate::{Attempt, Budget, Failure, Policy, retried};
#[cfg(feature = "wire")]
use crate::{Connection, OnWire, attributed::Entry};

/// An attempt starts.
#[cold]
#[inline(never)]
pub(crate) fn begin(rare: &mut Rare, call: &dyn Call) {
    #[cfg(feature = "wire")]
    tell(rare, call);
    let (is_retry, number) = (is_due(rare), rare.number());
    if anybody_listens() {
        // Somebody may have begun to listen since the call began.
        rare.watch();
    }
    // Not for `log`, which would have a line for each span.
    #[cfg(feature = "tracing")]
    if subscriber_listens() {
        rare.spans_mut().into_iter().for_each(|spans| spans.start(call.name(), number));
    }
    // If an observer panics at this event, the retry is not made, and its tokens go back.
    rare.set_phase(if is_retry { Phase::Pause } else { Phase::Idle });
    if rare.is_watched() {
        say_of(number, rare, call, EventKind::AttemptStarted);
    }
    begin_unheard(rare);
}

/// An attempt starts, and there is nothing to emit.
#[cold]
#[inline(never)]
pub(crate) fn begin_unheard(rare: &mut Rare) {
    made(rare);
    rare.set_phase(Phase::Attempt);
}

/// True from the decision to retry until the retry is made.
fn is_due(rare: &Rare) -> bool {
    rare.phase() == Phase::Pause
}

/// Notes that a retry which was due is made now: an attempt begins, or a loop that runs its attempts by itself reports an outcome.
fn made(rare: &mut Rare) {
    if is_due(rare) {
        rare.set_phase(Phase::Idle);
        retried::made();
    }
}

/// Another copy of the attempt that runs starts.
#[cold]
#[inline(never)]
pub(crate) fn hedged(rare: &Rare, call: &dyn Call, copy: u32, after: Duration) {
    say(rare, call, EventKind::Hedged { copy, after });
}

/// The attempt that ran, if one did, has its outcome. Its span is open until what followed has been said.
#[inline]
pub(crate) fn end(rare: &mut Rare) {
    if rare.phase() != Phase::Ended {
        rare.set_phase(Phase::Idle);
    }
}

/// What the outcome of the attempt means has been said.
#[inline]
fn close_attempt(_rare: &mut Rare) {
    #[cfg(feature = "tracing")]
    _rare.spans_mut().into_iter().for_each(Spans::end_attempt);
}

/// The call is dropped, after its end or before.
#[cold]
#[inline(never)]
pub(crate) fn dropped(rare: Rare, call: &dyn Call) {
    let is_due = is_due(&rare);
    if is_due {
        // The retry that was paid for is not made.
        budget(call).zip(rare.paid()).inspect(|(budget, paid)| budget.give_back(*paid));
    }
    if (is_due || rare.phase() == Phase::Attempt) && !std::thread::panicking() {
        count::cancelled(&rare, call);
        if is_heard(&rare) {
            // The number has counted on already, but a pause belongs to the attempt before it.
            say_of(rare.number() - u32::from(is_due), &rare, call, EventKind::Cancelled);
        }
    }
}

#[cold]
pub(crate) fn succeeded(rare: &mut Rare, call: &dyn Call) {
    made(rare);
    let is_heard = is_heard(rare);
    if let Some(budget) = budget(call).filter(|_| rare.phase() != Phase::Ended) {
        match rare.paid() {
            None => budget.succeeded_at_once(),
            Some(paid) => budget.give_back(paid),
        }
    }
    count::succeeded(rare, call);
    rare.set_phase(Phase::Ended);
    if is_heard {
        say_aloud(rare, call, EventKind::Succeeded);
    }
    close_attempt(rare);
}

/// Says what happened on the wire since it was last asked. What a pool did in a task of its own was said by nobody yet.
#[cfg(feature = "wire")]
#[cold]
#[inline(never)]
pub(crate) fn tell(rare: &Rare, call: &dyn Call) {
    if rare.phase() == Phase::Ended {
        return;
    }
    for Entry { attempt, at, what } in rare.ledger().iter().flat_map(|ledger| ledger.take()) {
        let elapsed = started(rare, call).map_or(Duration::ZERO, |started| at.saturating_duration_since(started));
        let attempts = call.policy().attempts_limit();
        emit(rare, call, &Event { name: call.name(), attempt, attempts, elapsed, kind: EventKind::Wire(&what) });
    }
}

/// Says whether the connection that a response came over was there before.
#[cfg(feature = "wire")]
#[cold]
#[inline(never)]
pub(crate) fn came_over(rare: &Rare, call: &dyn Call, connection: Option<Connection>) {
    let Some((ledger, connection)) = rare.ledger().zip(connection) else { return };
    if ledger.is_reused(connection, rare.number()) {
        say(rare, call, EventKind::Wire(&OnWire::Reused { connection }));
    }
}

/// The attempt that runs, or is about to.
pub(crate) fn attempt(rare: &Rare, call: &dyn Call) -> Attempt {
    Attempt::new(rare.number(), call.policy(), started(rare, call), call.notes().and_then(|notes| notes.last_failure))
}

/// What follows an outcome of an annotated function.
#[cold]
#[inline(never)]
pub(crate) fn decide(
    rare: &mut Rare,
    call: &mut dyn Call,
    condition: &Condition,
    findings: Findings,
    reason: &dyn Display,
) -> Option<Duration> {
    #[cfg(feature = "wire")]
    came_over(rare, call, findings.connection());
    let verdict = condition.verdict(findings);
    if verdict == Verdict::Done {
        succeeded(rare, call);
        return None;
    }
    let unnamed;
    let reason = if findings.is_error() {
        reason
    } else {
        unnamed = if findings.refused { Unnamed::Refused } else { Unnamed::of(verdict) };
        &unnamed
    };
    settle(rare, call, verdict, reason)
}

/// What follows a failure: the delay before the next attempt, or nothing.
#[inline]
pub(crate) fn settle(rare: &mut Rare, call: &mut dyn Call, verdict: Verdict, reason: &dyn Display) -> Option<Duration> {
    let failure = verdict.failure()?;
    let reason = &Masked(reason);
    let failed = EventKind::AttemptFailed { class: failure.class(), status: failure.status(), reason };
    made(rare);
    let has_ended = rare.phase() == Phase::Ended;
    let is_heard = is_heard(rare);
    end(rare);
    if is_heard {
        say_aloud(rare, call, failed);
        close_attempt(rare);
    }
    let mut next = next_delay(rare, call, verdict, failure);
    let paid = match call.policy().budget {
        None => 0,
        Some(budget) => pay(budget(), rare, failure, &mut next),
    };
    let number = rare.number();
    // Before the user's code is called: if that panics, the tokens go back.
    match next {
        Ok(_) => rare.count(paid),
        Err(_) => rare.set_phase(Phase::Ended),
    }
    tell_decision(rare, call, failure, next, has_ended.then_some(failed), number);
    if !matches!(next, Err(GiveUp::Exhausted) if number == 1) {
        // A call that has but one attempt says nothing; it may be a failure inside of it that was retried.
        scope::set_spent(next.is_err_and(had_its_retries));
    }
    retried::note(number, failure, reason, next.ok().map(|(delay, _)| delay));
    let (delay, _) = next.ok()?;
    if let Some(notes) = call.notes_mut() {
        (notes.last_failure, notes.previous) = (Some(failure), delay);
    }
    #[cfg(feature = "testing")]
    current::skip(rare, call, delay);
    Some(delay)
}

/// Counts the decision and emits it. A call that had ended counts and emits nothing, unless it goes on: then the event `failed` comes
/// first.
#[inline(always)]
fn tell_decision(
    rare: &Rare,
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
    if !rare.is_watched() && !anybody_listens() {
        return;
    }
    if let Some(failed) = failed {
        say_of(number, rare, call, failed);
    }
    let kind = match next {
        Ok((delay, source)) => EventKind::Waiting { delay, source, asked: asked(failure, source) },
        Err(why) => EventKind::GaveUp(why),
    };
    say_of(number, rare, call, kind);
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
pub(crate) fn limited(rare: &Rare, call: &dyn Call, cuts_off: bool) -> Option<scope::Limited> {
    let length = call.policy().deadline?;
    let at = started(rare, call)?.checked_add(length)?;
    Some(scope::Limited::new(scope::Deadline { at, length, cuts_off }))
}

fn budget(call: &dyn Call) -> Option<&'static Budget> {
    call.policy().budget.map(|budget| budget())
}

/// Pays for a retry for which all else is well; gives what that took.
#[inline(never)]
fn pay(budget: &Budget, rare: &Rare, failure: Failure, next: &mut Next) -> u16 {
    if rare.number() == 1 {
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
fn next_delay(rare: &Rare, call: &dyn Call, verdict: Verdict, failure: Failure) -> Next {
    let policy = call.policy();
    match verdict {
        Verdict::Retry(_) => {}
        Verdict::Barred(_, bar) => return Err(bar.into()),
        Verdict::Done | Verdict::GiveUp(_) => return Err(GiveUp::Permanent),
    }
    if policy.nested_once && rare.spent() {
        return Err(GiveUp::Nested);
    }
    // Asked for only by some policies.
    let attempt = || Attempt::new(rare.number(), policy, started(rare, call), Some(failure));
    let previous = || call.notes().map_or(Duration::ZERO, |notes| notes.previous);
    let is_limited = policy.deadline.is_some() || scope::deadline().is_some();
    let remaining = || if is_limited { attempt().remaining() } else { None };
    if remaining().is_some_and(|remaining| remaining.is_zero()) {
        return Err(GiveUp::Deadline);
    }
    if policy.attempts_limit().is_some_and(|limit| rare.number() >= limit) {
        return Err(GiveUp::Exhausted);
    }
    if !is_enabled() {
        return Err(GiveUp::Disabled);
    }
    let drawn = policy.delay(rare.number(), attempt, previous);
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
    match (failure.server_delay(), policy.server_limit) {
        (Some(asked), Some(limit)) if asked > limit => Err(GiveUp::ServerDelay(asked)),
        (Some(asked), Some(_)) => Ok(longer(policy.at_least(asked, drawn), DelaySource::Server)),
        _ => Ok((drawn.delay, DelaySource::Backoff)),
    }
}

/// The attempt that starts is the last one, and its outcome will not be reported.
#[cfg(feature = "tower")]
#[cold]
#[inline(never)]
pub(crate) fn abandoned(rare: &mut Rare, call: &dyn Call, why: GiveUp) {
    let last = call.notes().and_then(|notes| notes.last_failure);
    count::failed(rare.number(), call, last.unwrap_or(Failure::new(Class::Unknown)), Err(why));
    say(rare, call, EventKind::GaveUp(why));
    close_attempt(rare);
    rare.set_phase(Phase::Ended);
}

/// Waits for the end of a pause. A zero delay takes no timer, but lets other tasks run once.
#[cold]
#[inline(never)]
pub(crate) fn poll_pause<S: Sleep>(
    rare: &mut Rare,
    sleep: &S,
    mut timer: Pin<&mut S::Timer>,
    is_armed: &mut bool,
    delay: Duration,
    cx: &mut Context<'_>,
) -> Poll<()> {
    #[cfg(feature = "testing")]
    let delay = current::slept(delay);
    if !*is_armed {
        *is_armed = true;
        if delay.is_zero() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        sleep.arm(timer.as_mut(), rare, delay);
    }
    if !delay.is_zero() {
        ready!(sleep.poll(timer, rare, cx));
    }
    Poll::Ready(())
}

/// Whether the deadline has passed before an attempt started: the pause before it may have ended late.
pub(crate) fn too_late(rare: &Rare, call: &dyn Call) -> Option<TimedOut> {
    let attempt = attempt(rare, call);
    let has_passed = |remaining: Option<Duration>| remaining.is_some_and(|remaining| remaining.is_zero());
    if has_passed(attempt.own_remaining()) {
        return Some(timed_out(Ender::Deadline, rare, call));
    }
    has_passed(attempt.outer_remaining()).then(|| timed_out(Ender::OuterDeadline, rare, call))
}

/// Waits for the time limit of the attempt that runs, if there is one.
#[cold]
#[inline(never)]
pub(crate) fn poll_limit<S: Sleep>(
    rare: &mut Rare,
    call: &dyn Call,
    sleep: &S,
    mut timer: Pin<&mut S::Timer>,
    armed_for: &mut Option<Ender>,
    cx: &mut Context<'_>,
) -> Poll<TimedOut> {
    let was_armed = armed_for.is_some();
    let ender = match *armed_for {
        Some(ender) => ender,
        None => {
            let Some((limit, ender)) = limit(rare, call) else { return Poll::Pending };
            sleep.arm(timer.as_mut(), rare, limit);
            *armed_for.insert(ender)
        }
    };
    // An attempt that waits but once never looks at the clock here.
    if sleep.poll(timer, rare, cx).is_pending() && !(was_armed && sleep.is_over(rare)) {
        return Poll::Pending;
    }
    // A timer of the user's that ends early ends the attempt all the same.
    Poll::Ready(timed_out(ender, rare, call))
}

/// The limit that ends the attempt first, and how long that is from now.
fn limit(rare: &Rare, call: &dyn Call) -> Option<(Duration, Ender)> {
    let attempt = attempt(rare, call);
    let mut first = attempt.own_remaining().map(|limit| (limit, Ender::Deadline));
    let mut compare = |limit: Option<Duration>, ender| {
        let sooner = limit.filter(|limit| first.is_none_or(|(first, _)| *limit < first));
        first = sooner.map(|limit| (limit, ender)).or(first);
    };
    compare(attempt.outer_remaining(), Ender::OuterDeadline);
    compare(call.policy().attempt_timeout, Ender::AttemptTimeout);
    first
}

/// Names the limit that ended an attempt.
fn timed_out(ender: Ender, rare: &Rare, call: &dyn Call) -> TimedOut {
    let policy = call.policy();
    match ender {
        Ender::AttemptTimeout => TimedOut::attempt(policy.attempt_timeout.unwrap_or_default()),
        Ender::Deadline => TimedOut::deadline(policy.deadline.unwrap_or_default()),
        // Whoever moved the call out of the one around it finds the time that it took.
        Ender::OuterDeadline => {
            TimedOut::deadline(scope::deadline_length().unwrap_or_else(|| attempt(rare, call).elapsed()))
        }
    }
}

fn started(rare: &Rare, call: &dyn Call) -> Option<Instant> {
    call.notes().map(|notes| notes.started).or_else(|| rare.watched_since())
}

/// Whoever observes has the call watched from its start.
#[inline(always)]
fn is_heard(rare: &Rare) -> bool {
    (rare.is_watched() || anybody_listens()) && rare.phase() != Phase::Ended
}

#[inline(always)]
fn say(rare: &Rare, call: &dyn Call, kind: EventKind<'_>) {
    if is_heard(rare) {
        say_aloud(rare, call, kind);
    }
}

#[cold]
#[inline(never)]
fn say_aloud(rare: &Rare, call: &dyn Call, kind: EventKind<'_>) {
    say_of(rare.number(), rare, call, kind);
}

/// Says what happened to the attempt of this number.
#[cold]
#[inline(never)]
fn say_of(attempt: u32, rare: &Rare, call: &dyn Call, kind: EventKind<'_>) {
    let elapsed = started(rare, call).map_or(Duration::ZERO, |started| started.elapsed());
    emit(rare, call, &Event { name: call.name(), attempt, attempts: call.policy().attempts_limit(), elapsed, kind });
}

#[cfg(test)]
mod tests {
    use core::future::pending;
    use core::pin::pin;
    use core::task::{Context, Waker};
    use core::time::Duration;

    use crate::{Budget, Executor, Policy};

    /// In here, for the package of the other tests switches on the features that count calls.
    #[test]
    fn a_retry_that_is_dropped_while_it_runs_is_paid_for_though_its_pause_was_dropped() {
        static BUDGET: Budget = Budget::new();
        let policy = Policy::fixed(Duration::ZERO).budget(|| &BUDGET);
        // Not on tokio's timer, which is a feature.
        let mut retry = Executor::new(&policy).sleeping(|_| pending());
        retry.attempt_blocking(|| ());
        drop(retry.pause("no").unwrap());
        let polled = pin!(retry.attempt_to_end(pending::<()>())).poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        drop(retry);
        assert_eq!(BUDGET.tokens(), 495);
    }
}
