//! The model: goes through the steps of a call, and checks each against the documentation of `Policy`, `Budget` and `GiveUp`. It knows
//! nothing of how the engine decides: a random delay only has to be within its bounds, and of several reasons to end a call, any will do.

use std::ops::RangeInclusive;
use std::time::Duration;

use retry_runtime::event::{DelaySource, GiveUp};
use retry_runtime::outcome::NoRetry;
use retry_runtime::policy::{BeyondRetryAfter, WithinRetryAfter};
use retry_runtime::{Class, Jitter, OnError};

use crate::error::Failed;
use crate::record::Step;
use crate::script::{Backoff, Script, Scripted, Settings};

const MILLISECOND: Duration = Duration::from_millis(1);
/// The reasons that come before all others.
const REFUSALS: [GiveUp; 4] = [GiveUp::Permanent, GiveUp::Excluded, GiveUp::ServerRefused, GiveUp::ExhaustedBelow];
const COST: u32 = 5;
const TIMEOUT_COST: u32 = 20;

/// Checks a call: its steps with their times, its outcome (`None` if it was dropped), and the tokens that the budget has left.
pub fn check(script: &Script, steps: &[(Duration, Step)], outcome: Option<Result<(), Failed>>, tokens: Option<u32>) {
    let mut model =
        Model { script, steps: steps.iter().copied(), tokens: script.budget, paid: None, previous: Duration::ZERO };
    let ended = model.run(outcome.is_none());
    assert_eq!(model.steps.next(), None, "a step after the end: {script:#?}\n{steps:#?}");
    assert_eq!(model.tokens, tokens, "the tokens left: {script:#?}\n{steps:#?}");
    let fits = match (&ended, &outcome) {
        (End::Dropped, None) | (End::Succeeded, Some(Ok(()))) => true,
        (End::Failed(number), Some(Err(Failed::Scripted(of, _)))) => number == of,
        (End::TimedOut, Some(Err(Failed::TimedOut))) => true,
        _ => false,
    };
    assert!(fits, "{ended:?}, but {outcome:?} is returned: {script:#?}\n{steps:#?}");
}

#[derive(Debug)]
enum End {
    Succeeded,
    /// With the outcome of this attempt.
    Failed(u32),
    TimedOut,
    Dropped,
}

struct Model<'a, I> {
    script: &'a Script,
    steps: I,
    tokens: Option<u32>,
    /// The tokens that the current retry has taken.
    paid: Option<u32>,
    previous: Duration,
}

/// The end of an attempt.
struct Ended {
    at: Duration,
    outcome: Scripted,
    timed_out: bool,
}

/// The decisions that a failed attempt allows.
#[derive(Debug)]
struct Expected {
    /// Each of them ends the call.
    reasons: Vec<GiveUp>,
    delays: Result<RangeInclusive<Duration>, GiveUp>,
    /// The time until the deadline.
    remaining: Option<Duration>,
    /// The tokens of a retry.
    cost: u32,
}

impl<I: Iterator<Item = (Duration, Step)>> Model<'_, I> {
    fn run(&mut self, is_dropped: bool) -> End {
        let mut starts = Duration::ZERO..=Duration::ZERO;
        for number in 1.. {
            let Some(at) = self.attempt_starts(number, &starts, is_dropped) else { return End::Dropped };
            let Some(ended) = self.attempt_ends(number, at, is_dropped) else { return End::Dropped };
            if ended.outcome.succeeds {
                assert_eq!(self.steps.next(), Some((ended.at, Step::Succeeded)), "{:#?}", self.script);
                self.give_back(self.paid.unwrap_or(1));
                return End::Succeeded;
            }
            match self.decision(number, &ended) {
                Some(delay) => {
                    starts = ended.at.saturating_add(delay)..=ended.at.saturating_add(delay).saturating_add(MILLISECOND)
                }
                None if ended.timed_out => return End::TimedOut,
                None => return End::Failed(number),
            }
        }
        unreachable!("a script has an end")
    }

    /// True if the call was dropped here.
    fn is_cancelled(&mut self, step: Option<(Duration, Step)>, is_dropped: bool) -> bool {
        let Some((at, Step::Cancelled)) = step else { return false };
        assert!(is_dropped && Some(at) == self.script.cancelled_after, "cancelled at {at:?}: {:#?}", self.script);
        true
    }

    fn attempt_starts(&mut self, number: u32, starts: &RangeInclusive<Duration>, is_dropped: bool) -> Option<Duration> {
        let step = self.steps.next();
        if is_dropped && number == 1 && step.is_none() {
            return None;
        }
        if self.is_cancelled(step, is_dropped) {
            // A retry that is not made is paid back.
            self.give_back(self.paid.unwrap_or(0));
            return None;
        }
        let (at, step) = step.expect("an attempt starts");
        assert_eq!(step, Step::Started { number }, "{:#?}", self.script);
        assert!(starts.contains(&at), "attempt {number} starts at {at:?}, not in {starts:?}: {:#?}", self.script);
        Some(at)
    }

    fn attempt_ends(&mut self, number: u32, start: Duration, is_dropped: bool) -> Option<Ended> {
        let script = self.script;
        let outcome = script.outcome(number);
        let end = start + outcome.takes;
        let limits = [script.settings.attempt_timeout.map(|timeout| start + timeout), script.settings.deadline];
        let cut = limits.into_iter().flatten().min().filter(|_| script.cuts_off).map(|cut| cut.max(start));
        // An attempt that is ready at once is not cut off, unless the timer of the pause has rounded its start up to the deadline.
        let cut = cut.filter(|cut| *cut == start || !outcome.takes.is_zero());
        let step = self.steps.next();
        if self.is_cancelled(step, is_dropped) {
            return None;
        }
        let (at, step) = step.expect("an attempt ends");
        if step == (Step::Ran { number }) {
            assert!(at == end && cut.is_none_or(|cut| end <= cut), "attempt {number} ran until {at:?}: {script:#?}");
            let failed = outcome.succeeds || self.steps.next() == Some((at, Step::Failed { number }));
            assert!(failed, "no failure of attempt {number}: {script:#?}");
            return Some(Ended { at, outcome, timed_out: false });
        }
        assert_eq!(step, Step::Failed { number }, "{script:#?}");
        assert!(cut == Some(at) && at <= end, "attempt {number} is cut off at {at:?}, not {cut:?}: {script:#?}");
        let outcome = Scripted {
            succeeds: false,
            class: Class::Transient,
            server_delay: None,
            no_retry: None,
            is_timeout: true,
            ..outcome
        };
        Some(Ended { at, outcome, timed_out: true })
    }

    /// Checks the reason for the end, or the delay, which is returned.
    fn decision(&mut self, number: u32, ended: &Ended) -> Option<Duration> {
        let script = self.script;
        let expected = self.expected(number, ended);
        let Expected { reasons, delays, remaining, .. } = &expected;
        let may_be = |delay: &Duration| delays.as_ref().is_ok_and(|delays| delays.contains(delay));
        let (at, mut step) = self.steps.next().expect("a decision");
        assert_eq!(at, ended.at, "{step:?}: {script:#?}");
        if let Step::Hook { number: of, delay } = step {
            assert!(of == number && may_be(&delay), "{step:?}, but {expected:?}: {script:#?}");
            step = self.steps.next().expect("a decision").1;
            let follows = matches!(step, Step::Waiting { delay: other, .. } if other == delay);
            assert!(follows || step == Step::GaveUp(GiveUp::Stopped), "{step:?} after the hook: {script:#?}");
        }
        match step {
            Step::GaveUp(reason) => {
                // A delay that is random may have been too long.
                let latest = delays.as_ref().map(|delays| *delays.end());
                let is_late = remaining.zip(latest.ok()).is_some_and(|(remaining, latest)| latest >= remaining);
                let is_refused = reasons.iter().any(|reason| REFUSALS.contains(reason));
                let may_be_late = is_late && reason == GiveUp::Deadline && !is_refused;
                assert!(reasons.contains(&reason) || may_be_late, "{step:?}, but {expected:?}: {script:#?}");
                None
            }
            Step::Waiting { delay, source, requested } => {
                let fits = may_be(&delay) && remaining.is_none_or(|remaining| delay < remaining);
                assert!(fits && reasons.is_empty(), "{step:?}, but {expected:?}: {script:#?}");
                assert_eq!(requested.is_some(), source == DelaySource::Server, "{script:#?}");
                assert!(requested.is_none() || requested == ended.outcome.server_delay, "{script:#?}");
                if let Some(tokens) = &mut self.tokens {
                    *tokens -= expected.cost;
                    self.paid = Some(expected.cost);
                }
                self.previous = delay;
                Some(delay)
            }
            _ => panic!("{step:?} after attempt {number}: {script:#?}"),
        }
    }

    fn expected(&self, number: u32, Ended { at, outcome, .. }: &Ended) -> Expected {
        let Script { settings, on_error, budget, .. } = self.script;
        let remaining = settings.deadline.map(|deadline| deadline.saturating_sub(*at));
        let delays = delays(settings, number, self.previous, outcome.server_delay);
        // A cost above the capacity counts as the capacity.
        let cost = budget.filter(|_| outcome.is_timeout).map_or(COST, |capacity| TIMEOUT_COST.min(capacity));
        let is_retried = match on_error {
            None => outcome.class != Class::Permanent,
            Some(OnError::Any) => true,
            Some(OnError::Transient) => outcome.class == Class::Transient,
            Some(_) => false,
        };
        let reasons = match outcome.no_retry {
            _ if !is_retried && outcome.class == Class::Permanent => vec![GiveUp::Permanent],
            _ if !is_retried => vec![GiveUp::Excluded],
            Some(NoRetry::ExhaustedBelow) => vec![GiveUp::ExhaustedBelow],
            Some(_) => vec![GiveUp::ServerRefused],
            None => {
                let shortest = delays.as_ref().map_or(Duration::ZERO, |delays| *delays.start());
                let is_late = remaining.is_some_and(|remaining| remaining.is_zero() || shortest >= remaining);
                let of_schedule = [(is_late, GiveUp::Deadline), (settings.attempts == Some(number), GiveUp::Exhausted)];
                let is_broke = self.tokens.is_some_and(|tokens| tokens < cost);
                let others = [(is_broke, GiveUp::Budget), (self.script.stops(number), GiveUp::Stopped)];
                let apply = of_schedule.into_iter().chain(others).filter(|(applies, _)| *applies);
                apply.map(|(_, reason)| reason).chain(delays.as_ref().err().copied()).collect()
            }
        };
        Expected { reasons, delays, remaining, cost }
    }

    fn give_back(&mut self, given: u32) {
        if let (Some(tokens), Some(capacity)) = (&mut self.tokens, self.script.budget) {
            *tokens = capacity.min(*tokens + given);
        }
    }
}

/// The shortest and the longest delay after attempt `n`, by the tables of `Policy::retry_after` and `Policy::within_retry_after`.
fn delays(
    settings: &Settings,
    n: u32,
    previous: Duration,
    asked: Option<Duration>,
) -> Result<RangeInclusive<Duration>, GiveUp> {
    let (lowest, highest) = computed(settings, n, previous);
    let rounding = highest / 1_000_000_000 + Duration::from_nanos(2);
    let range =
        |lowest: Duration, highest: Duration| Ok(lowest.saturating_sub(rounding)..=highest.saturating_add(rounding));
    let (Some(limit), Some(asked)) = (settings.retry_after, asked) else { return range(lowest, highest) };
    let server = if asked <= limit {
        asked
    } else {
        match settings.beyond {
            BeyondRetryAfter::Wait => limit,
            BeyondRetryAfter::Ignore => return range(lowest, highest),
            _ => return Err(GiveUp::ServerDelay(asked)),
        }
    };
    let base = if settings.within == WithinRetryAfter::Replace { server } else { server.max(lowest) };
    range(base, base.saturating_add(highest - lowest))
}

/// The shortest and the longest delay of the schedule.
fn computed(settings: &Settings, n: u32, previous: Duration) -> (Duration, Duration) {
    let Settings { start, cap, ref listed, .. } = *settings;
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    let times = |by: f64| seconds(start.as_secs_f64() * by);
    let d = match settings.backoff {
        Backoff::Fixed => start,
        Backoff::Exponential(factor) => times((1..n).fold(1.0, |product, _| product * factor)),
        Backoff::Linear => start.saturating_mul(n),
        Backoff::Fibonacci => times((1..n).fold((1.0, 1.0), |(one, two), _| (two, one + two)).0),
        Backoff::Random => return (start, cap),
        Backoff::Decorrelated(factor) => {
            return (start, seconds(previous.max(start).as_secs_f64() * factor).min(cap));
        }
        Backoff::Listed => listed[listed.len().min(n as usize) - 1],
    };
    let d = d.min(cap);
    let share = |by: f64| seconds(d.as_secs_f64() * by).min(cap);
    match settings.jitter {
        Jitter::Full => (Duration::ZERO, d),
        Jitter::Equal => (d / 2, d),
        Jitter::Share(p) => (share(1.0 - p), share(1.0 + p)),
        Jitter::Plus(extra) => (d, d.saturating_add(extra).min(cap)),
        _ => (d, d),
    }
}
