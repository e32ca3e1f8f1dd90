//! The decision: whether another attempt follows a failure, and after which delay.
//!
//! [`decide`] has no effects, and reads no clock, no thread-local and no global state: the [`Situation`] holds what it needs. The
//! random source and a custom backoff are functions that it is given. The budget comes after it, and can only turn a retry down.

use core::time::Duration;

use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::verdict::Verdict;
use crate::context::caller::ROUNDING;
use crate::engine::hooks::NextDelay;
use crate::engine::situation::Situation;
use crate::observe::event::{Decision, DelaySource, GiveUp};
use crate::policy::attempt::Attempt;
use crate::policy::builder::{Policy, UNLIMITED};
use crate::policy::delay::Drawn;
use crate::policy::nested::Nested;
use crate::policy::retry_after::{BeyondRetryAfter, WithinRetryAfter};
use crate::util::clock::Instant;

/// Decides what follows an outcome with this verdict.
#[inline(always)]
pub(crate) fn decide(
    policy: &Policy,
    verdict: Verdict,
    failure: Failure,
    situation: &Situation,
    next_delay: &mut NextDelay<'_>,
) -> Decision {
    match verdict {
        Verdict::Retry(failure) => {
            // Ahead of everything that the user has set: a server can only prevent retries.
            if let Some(reason) = failure.no_retry() {
                return Err(reason.into());
            }
        }
        Verdict::NotReady(_) => {}
        Verdict::NotSafe(_, why) => return Err(why.into()),
        Verdict::GiveUp(failure) if failure.class() != Class::Permanent => return Err(GiveUp::Excluded),
        Verdict::Done | Verdict::GiveUp(_) => return Err(GiveUp::Permanent),
    }
    // A value that is not ready is not the failure that a call inside has retried.
    let is_failure = matches!(verdict, Verdict::Retry(_));
    if is_failure && policy.nested == Nested::Once && situation.nested_exhausted {
        return Err(GiveUp::Nested);
    }
    let remaining = situation.now.and_then(|now| remaining(policy, situation, now));
    if let Some(Remaining { time: Duration::ZERO, of_caller }) = remaining {
        return Err(past_deadline(of_caller));
    }
    if situation.number >= situation.max_attempts && situation.max_attempts != UNLIMITED {
        return Err(GiveUp::Exhausted);
    }
    // After the reasons above, which end the call in any case, so that `Disabled` counts the retries that the switch
    // prevented. No delay is drawn for them, so those whose delay would have been too long are counted too.
    if is_failure && !situation.retries_enabled {
        return Err(GiveUp::Disabled);
    }
    let (delay, source) = match *next_delay {
        NextDelay::Chosen(delay) => (delay, DelaySource::Chosen),
        _ => {
            let drawn = draw(policy, is_failure.then_some(failure), situation, next_delay);
            let decided = with_requested_delay(policy, drawn, failure)?;
            if is_failure && failure.is_refused_after(decided.0) {
                return Err(GiveUp::ServerRefused);
            }
            decided
        }
    };
    match remaining {
        Some(Remaining { time, of_caller }) if delay >= time => Err(past_deadline(of_caller)),
        _ => Ok((delay, source)),
    }
}

/// The time until the earlier of two deadlines.
#[derive(Clone, Copy)]
struct Remaining {
    time: Duration,
    /// True if that deadline is the one of the caller outside this process.
    of_caller: bool,
}

#[cold]
fn past_deadline(of_caller: bool) -> GiveUp {
    if of_caller { GiveUp::CallerDeadline } else { GiveUp::Deadline }
}

/// The deadline before which the delay does not end, by the clock of now. [`decide`] has answered that already, but by a time before the
/// user's backoff function ran, which may have taken long.
#[cold]
pub(crate) fn exceeded(policy: &Policy, situation: &Situation, delay: Duration) -> Option<GiveUp> {
    let Remaining { time, of_caller } = remaining(policy, situation, Instant::now())?;
    (delay >= time).then(|| past_deadline(of_caller))
}

/// The time until the earlier of two deadlines: the call's own, and the one around it.
// Cold, because most calls have no deadline.
#[cold]
fn remaining(policy: &Policy, situation: &Situation, now: Instant) -> Option<Remaining> {
    let elapsed = || situation.started.map_or(Duration::ZERO, |started| now.saturating_duration_since(started));
    let own = policy.deadline.map(|deadline| Remaining { time: deadline.saturating_sub(elapsed()), of_caller: false });
    let of_caller = situation.outer_is_caller;
    // A service that has received the time left, rounded down, ends that much earlier.
    let early = if of_caller { ROUNDING } else { Duration::ZERO };
    let left = |outer: Instant| outer.saturating_duration_since(now).saturating_sub(early);
    let outer = situation.outer_deadline.map(|outer| Remaining { time: left(outer), of_caller });
    // Of two equal deadlines, the first one.
    own.into_iter().chain(outer).min_by_key(|remaining| remaining.time)
}

/// The delay of the policy's schedule, or of the call's own backoff function.
#[inline(always)]
fn draw(policy: &Policy, failure: Option<Failure>, situation: &Situation, next_delay: &mut NextDelay<'_>) -> Drawn {
    let Situation { number, max_attempts, started, outer_deadline, previous_delay, random, .. } = *situation;
    let max_attempts = (max_attempts != UNLIMITED).then_some(max_attempts);
    let attempt = || Attempt::new(number, max_attempts, started, policy.deadline, outer_deadline, failure);
    match next_delay {
        NextDelay::Computed(backoff) => policy.with_jitter(backoff(&attempt()), random),
        _ => policy.delay(number, attempt, previous_delay, random),
    }
}

/// The delay that a circuit breaker or a server asks for is a lower bound of the drawn one.
#[inline(always)]
fn with_requested_delay(policy: &Policy, drawn: Drawn, failure: Failure) -> Decision {
    let longer =
        |delay, source| if delay > drawn.delay { (delay, source) } else { (drawn.delay, DelaySource::Backoff) };
    if let Some(requested) = failure.breaker_delay() {
        // Without jitter: of the callers that return together one becomes the probe, and the others wait for its end.
        return Ok(longer(requested, DelaySource::Breaker));
    }
    match (failure.server_delay(), policy.retry_after) {
        (Some(requested), Some(limit)) => with_server_delay(policy, drawn, requested, limit),
        _ => Ok((drawn.delay, DelaySource::Backoff)),
    }
}

/// The delay that a server asks for, where the policy does not ignore all of them. The source is the backoff if the computed delay is
/// long enough.
fn with_server_delay(policy: &Policy, drawn: Drawn, requested: Duration, limit: Duration) -> Decision {
    let accepted = match policy.beyond_retry_after {
        _ if requested <= limit => requested,
        BeyondRetryAfter::GiveUp => return Err(GiveUp::ServerDelay(requested)),
        BeyondRetryAfter::Wait => limit,
        BeyondRetryAfter::Ignore => return Ok((drawn.delay, DelaySource::Backoff)),
    };
    let delay = policy.with_server_delay(accepted, drawn);
    let is_server = policy.within_retry_after == WithinRetryAfter::Replace || delay > drawn.delay;
    Ok((delay, if is_server { DelaySource::Server } else { DelaySource::Backoff }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::no_retry::NoRetry;
    use crate::classify::verdict::NotSafe;
    use crate::policy::jitter::Jitter;

    const SECOND: Duration = Duration::from_secs(1);
    const POLICY: Policy = Policy::exponential(SECOND).attempts(3);
    const FAILURE: Failure = Failure::new(Class::Transient);
    const PERMANENT: Failure = Failure::new(Class::Permanent);

    /// The first attempt has failed, of a call without a deadline around it.
    const FIRST: Situation = Situation {
        number: 1,
        max_attempts: 3,
        started: None,
        now: None,
        outer_deadline: None,
        outer_is_caller: false,
        previous_delay: Duration::ZERO,
        nested_exhausted: false,
        retries_enabled: true,
        random: || 0.5,
    };

    fn after(seconds: u64) -> Decision {
        Ok((SECOND * u32::try_from(seconds).unwrap(), DelaySource::Backoff))
    }

    #[test]
    fn decisions() {
        let start = Instant::now();
        let at = |seconds| Situation { started: Some(start), now: Some(start + SECOND * seconds), ..FIRST };
        let retry = |policy, situation| (policy, Verdict::Retry(FAILURE), situation);
        let told = |delay| Verdict::Retry(FAILURE.with_server_delay(delay));
        let rejected = |delay| Verdict::Retry(FAILURE.with_breaker_delay(delay));
        let once = POLICY.nested(Nested::Once);
        let exhausted = Situation { nested_exhausted: true, ..FIRST };
        let around = |seconds| Situation { outer_deadline: Some(start + SECOND * seconds), ..at(0) };
        let caller = |seconds| Situation { outer_is_caller: true, ..around(seconds) };
        let late = |seconds| Situation { now: Some(start + SECOND * 2), ..caller(seconds) };
        for (case, (policy, verdict, situation), expected) in [
            ("the first retry", retry(POLICY, FIRST), after(1)),
            ("the second retry", retry(POLICY, Situation { number: 2, ..FIRST }), after(2)),
            ("no attempt left", retry(POLICY, Situation { number: 3, ..FIRST }), Err(GiveUp::Exhausted)),
            ("unlimited attempts", retry(POLICY, Situation { number: 3, max_attempts: UNLIMITED, ..FIRST }), after(4)),
            ("a permanent failure", (POLICY, Verdict::GiveUp(PERMANENT), FIRST), Err(GiveUp::Permanent)),
            ("a failure that is not retried", (POLICY, Verdict::GiveUp(FAILURE), FIRST), Err(GiveUp::Excluded)),
            (
                "a request that is not safe to resend",
                (POLICY, Verdict::NotSafe(FAILURE, NotSafe::NotIdempotent), FIRST),
                Err(GiveUp::NotIdempotent),
            ),
            (
                "a body that is used up",
                (POLICY, Verdict::NotSafe(FAILURE, NotSafe::BodyUsedUp), FIRST),
                Err(GiveUp::BodyUsedUp),
            ),
            (
                "retried by a service below",
                (POLICY, Verdict::Retry(FAILURE.with_no_retry(NoRetry::ExhaustedBelow)), FIRST),
                Err(GiveUp::ExhaustedBelow),
            ),
            (
                "refused by the server, with a delay, after the last attempt",
                (
                    POLICY,
                    Verdict::Retry(told(SECOND).failure().unwrap().with_no_retry(NoRetry::Refused)),
                    Situation { number: 3, ..FIRST },
                ),
                Err(GiveUp::ServerRefused),
            ),
            (
                "a permanent failure that was retried by a service below",
                (POLICY, Verdict::GiveUp(PERMANENT.with_no_retry(NoRetry::ExhaustedBelow)), FIRST),
                Err(GiveUp::Permanent),
            ),
            ("retried inside, once", retry(once, exhausted), Err(GiveUp::Nested)),
            ("not retried inside, once", retry(once, FIRST), after(1)),
            (
                "a value that is not ready, after a failure inside",
                (once, Verdict::NotReady(FAILURE), exhausted),
                after(1),
            ),
            ("retried inside, always", retry(POLICY, exhausted), after(1)),
            ("switched off", retry(POLICY, Situation { retries_enabled: false, ..FIRST }), Err(GiveUp::Disabled)),
            (
                "switched off, with no attempt left",
                retry(POLICY, Situation { number: 3, retries_enabled: false, ..FIRST }),
                Err(GiveUp::Exhausted),
            ),
            ("time until the deadline", retry(POLICY.deadline(SECOND * 3), at(1)), after(1)),
            ("a delay up to the deadline", retry(POLICY.deadline(SECOND * 3), at(2)), Err(GiveUp::Deadline)),
            ("after the deadline", retry(POLICY.deadline(SECOND * 3), at(4)), Err(GiveUp::Deadline)),
            ("time until the deadline of the call around", retry(POLICY, around(2)), after(1)),
            ("a delay up to the deadline of the call around", retry(POLICY, around(1)), Err(GiveUp::Deadline)),
            ("time until the deadline of the caller", retry(POLICY, caller(2)), after(1)),
            ("a delay up to the deadline of the caller", retry(POLICY, caller(1)), Err(GiveUp::CallerDeadline)),
            ("after the deadline of the caller", retry(POLICY, caller(0)), Err(GiveUp::CallerDeadline)),
            (
                "an own deadline that is as early as that of the caller",
                retry(POLICY.deadline(SECOND * 3), late(3)),
                Err(GiveUp::CallerDeadline),
            ),
            (
                "an own deadline that is earlier than that of the caller",
                retry(POLICY.deadline(SECOND * 3), late(4)),
                Err(GiveUp::Deadline),
            ),
            ("a longer delay of the server", (POLICY, told(SECOND * 7), FIRST), Ok((SECOND * 7, DelaySource::Server))),
            ("a shorter delay of the server", (POLICY, told(SECOND / 2), FIRST), after(1)),
            (
                "a delay of the server beyond the limit",
                (POLICY.retry_after(SECOND * 5), told(SECOND * 7), FIRST),
                Err(GiveUp::ServerDelay(SECOND * 7)),
            ),
            ("an ignored delay of the server", (POLICY.ignore_retry_after(), told(SECOND * 7), FIRST), after(1)),
            (
                "jitter on top of the server's delay",
                (POLICY.jitter(Jitter::Full), told(SECOND * 7), FIRST),
                Ok((SECOND * 15 / 2, DelaySource::Server)),
            ),
            (
                "the delay of a breaker, beyond the server's limit",
                (POLICY.retry_after(SECOND), rejected(SECOND * 9), FIRST),
                Ok((SECOND * 9, DelaySource::Breaker)),
            ),
            (
                "a delay of the server up to the deadline",
                (POLICY.deadline(SECOND * 3), told(SECOND * 3), at(0)),
                Err(GiveUp::Deadline),
            ),
            (
                "a decorrelated delay",
                retry(Policy::decorrelated(SECOND, SECOND * 60), Situation { previous_delay: SECOND * 3, ..FIRST }),
                after(5),
            ),
        ] {
            let failure = verdict.failure().unwrap();
            assert_eq!(decide(&policy, verdict, failure, &situation, &mut NextDelay::Scheduled), expected, "{case}");
        }
    }

    #[test]
    fn a_success_is_not_retried() {
        assert_eq!(decide(&POLICY, Verdict::Done, FAILURE, &FIRST, &mut NextDelay::Scheduled), Err(GiveUp::Permanent));
    }
}
