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
#[cfg(feature = "tracing")]
use crate::emit::subscriber_listens;
use crate::emit::{anybody_listens, emit};
use crate::event::{DelaySource, Event, EventKind, GiveUp};
use crate::mask::Masked;
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
use crate::{Attempt, Budget, Failure, retried};
#[cfg(feature = "wire")]
use crate::{Connection, OnWire, attributed::Entry};

/// An attempt starts.
#[cold]
#[inline(never)]
pub(crate) fn begin(rare: &mut Rare, call: &dyn Call) {
    #[cfg(feature = "wire")]
    tell(rare, call);
    rare.set_phase(Phase::Attempt);
    if anybody_listens() {
        // Somebody may have begun to listen since the call began.
        rare.watch();
    }
    // Not for `log`, which would have a line for each span.
    #[cfg(feature = "tracing")]
    if subscriber_listens() {
        let number = rare.number();
        rare.spans_mut().into_iter().for_each(|spans| spans.start(call.name(), number));
    }
    say(rare, call, EventKind::AttemptStarted);
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
    if rare.phase() == Phase::Pause {
        // The retry that was paid for is not made.
        budget(call).zip(rare.paid()).inspect(|(budget, paid)| budget.give_back(*paid));
    }
    if matches!(rare.phase(), Phase::Attempt | Phase::Pause) && !std::thread::panicking() {
        count::cancelled(&rare, call);
        say(&rare, call, EventKind::Cancelled);
    }
}

#[cold]
pub(crate) fn succeeded(rare: &mut Rare, call: &dyn Call) {
    if let Some(budget) = budget(call).filter(|_| rare.phase() != Phase::Ended) {
        match rare.paid() {
            None => budget.succeeded_at_once(),
            Some(paid) => budget.give_back(paid),
        }
    }
    count::succeeded(rare, call);
    end(rare);
    say(rare, call, EventKind::Succeeded);
    close_attempt(rare);
    rare.set_phase(Phase::Ended);
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
    let is_heard = is_heard(rare);
    let reason = &Masked(reason);
    end(rare);
    if is_heard {
        let kind = EventKind::AttemptFailed { class: failure.class(), status: failure.status(), reason };
        say_aloud(rare, call, kind);
        close_attempt(rare);
    }
    let mut next = next_delay(rare, call, verdict, failure);
    let paid = match call.policy().budget {
        None => 0,
        Some(budget) => pay(budget(), rare, failure, &mut next),
    };
    count::failed(rare, call, failure, next);
    if is_heard {
        let kind = match next {
            Ok((delay, source)) => EventKind::Waiting { delay, source },
            Err(why) => EventKind::GaveUp(why),
        };
        say_aloud(rare, call, kind);
    }
    if !matches!(next, Err(GiveUp::Exhausted) if rare.number() == 1) {
        // A call that has but one attempt says nothing; it may be a failure inside of it that was retried.
        scope::set_spent(next.is_err_and(had_its_retries));
    }
    retried::note(rare.number(), failure, reason, next.ok().map(|(delay, _)| delay));
    let Ok((delay, _)) = next else {
        rare.set_phase(Phase::Ended);
        return None;
    };
    if let Some(notes) = call.notes_mut() {
        (notes.last_failure, notes.previous) = (Some(failure), delay);
    }
    rare.count(paid);
    #[cfg(feature = "testing")]
    current::skip(rare, call, delay);
    Some(delay)
}

/// Whether a call that gives up has done what a retry of the call around it would do again.
fn had_its_retries(why: GiveUp) -> bool {
    match why {
        GiveUp::Exhausted | GiveUp::Deadline | GiveUp::ServerDelay(_) | GiveUp::Budget | GiveUp::Nested => true,
        GiveUp::Permanent | GiveUp::NotIdempotent | GiveUp::BodyUsedUp | GiveUp::Disabled => false,
    }
}

/// Lets those inside of the attempt that runs know until when there is time.
pub(crate) fn limited(rare: &Rare, call: &dyn Call) -> Option<scope::Limited> {
    let deadline = started(rare, call)?.checked_add(call.policy().deadline?)?;
    Some(scope::Limited::new(deadline))
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
    let computed = policy.delay(rare.number(), attempt, previous);
    let (delay, source) = with_server(computed, failure.server_delay(), policy.server_limit)?;
    match remaining() {
        Some(remaining) if delay >= remaining => Err(GiveUp::Deadline),
        _ => Ok((delay, source)),
    }
}

/// The server's delay is a floor under the computed one.
#[inline(always)]
fn with_server(computed: Duration, asked: Option<Duration>, limit: Option<Duration>) -> Next {
    match (asked, limit) {
        (Some(asked), Some(limit)) if asked > limit => Err(GiveUp::ServerDelay(asked)),
        (Some(asked), Some(_)) if asked > computed => Ok((asked, DelaySource::Server)),
        _ => Ok((computed, DelaySource::Backoff)),
    }
}

/// The attempt that starts is the last one, and its outcome will not be reported.
#[cfg(feature = "tower")]
#[cold]
#[inline(never)]
pub(crate) fn abandoned(rare: &mut Rare, call: &dyn Call, why: GiveUp) {
    let last = call.notes().and_then(|notes| notes.last_failure);
    count::failed(rare, call, last.unwrap_or(Failure::new(Class::Unknown)), Err(why));
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
    rare.set_phase(Phase::Idle);
    Poll::Ready(())
}

/// Whether the deadline has passed before an attempt started: the pause before it may have ended late.
pub(crate) fn too_late(rare: &Rare, call: &dyn Call) -> Option<TimedOut> {
    let deadline = call.policy().deadline?;
    attempt(rare, call).remaining()?.is_zero().then_some(TimedOut::deadline(deadline))
}

/// Waits for the time limit of the attempt that runs, if there is one.
#[cold]
#[inline(never)]
pub(crate) fn poll_limit<S: Sleep>(
    rare: &mut Rare,
    call: &dyn Call,
    sleep: &S,
    mut timer: Pin<&mut S::Timer>,
    is_armed: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<TimedOut> {
    let timeout = call.policy().attempt_timeout;
    let remaining = || attempt(rare, call).remaining();
    if !*is_armed {
        let Some(limit) = remaining().into_iter().chain(timeout).min() else { return Poll::Pending };
        sleep.arm(timer.as_mut(), rare, limit);
        *is_armed = true;
    }
    if sleep.poll(timer, rare, cx).is_pending() && !sleep.is_over(rare) {
        return Poll::Pending;
    }
    Poll::Ready(match (call.policy().deadline, timeout) {
        (Some(deadline), _) if attempt(rare, call).remaining().is_some_and(|left| left.is_zero()) => {
            TimedOut::deadline(deadline)
        }
        (_, Some(timeout)) => TimedOut::attempt(timeout),
        // A timer of the user's that ends early ends the attempt all the same.
        (deadline, None) => TimedOut::deadline(deadline.unwrap_or_default()),
    })
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
    // The pause belongs to the attempt before, but the number has counted on.
    let attempt = rare.number() - u32::from(rare.phase() == Phase::Pause);
    let elapsed = started(rare, call).map_or(Duration::ZERO, |started| started.elapsed());
    emit(rare, call, &Event { name: call.name(), attempt, attempts: call.policy().attempts_limit(), elapsed, kind });
}
