//! A script: the policy, the outcomes of attempts, and what the caller does.

use std::cell::Cell;
use std::time::Duration;

use retry_fuzz::Input;
use retry_runtime::outcome::NoRetry;
use retry_runtime::policy::{BeyondRetryAfter, PolicyBuilder, WithinRetryAfter};
use retry_runtime::{Class, Condition, Jitter, OnError};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Backoff {
    Fixed,
    Exponential(f64),
    Linear,
    Fibonacci,
    Random,
    Decorrelated(f64),
    Listed,
}

#[derive(Debug)]
pub struct Settings {
    pub backoff: Backoff,
    pub start: Duration,
    pub listed: Vec<Duration>,
    pub cap: Duration,
    pub jitter: Jitter,
    /// `None` is unlimited.
    pub attempts: Option<u32>,
    pub deadline: Option<Duration>,
    pub attempt_timeout: Option<Duration>,
    /// `None` ignores servers' delays.
    pub retry_after: Option<Duration>,
    pub within: WithinRetryAfter,
    pub beyond: BeyondRetryAfter,
}

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug)]
pub struct Scripted {
    pub takes: Duration,
    pub succeeds: bool,
    pub class: Class,
    pub server_delay: Option<Duration>,
    pub is_timeout: bool,
    pub no_retry: Option<NoRetry>,
}

#[derive(Debug)]
pub struct Script {
    pub settings: Settings,
    pub on_error: Option<OnError>,
    /// The attempts after these succeed, so that each call ends.
    outcomes: Vec<Scripted>,
    /// The capacity in tokens.
    pub budget: Option<u32>,
    /// The hook ends the call after this attempt.
    stops_after: Option<u32>,
    pub cancelled_after: Option<Duration>,
    /// Attempts are cut off by the deadline and the attempt timeout.
    pub cuts_off: bool,
    random: u64,
}

/// Whole milliseconds, as tokio's timer counts them.
fn time(input: &mut Input<'_>) -> Duration {
    let number = u64::from(input.any::<u8>());
    Duration::from_millis(match input.any::<u8>() % 5 {
        0 => number,
        1 => number * 10,
        2 => number * 1000,
        3 => number * 60_000,
        _ => 0,
    })
}

fn maybe<T>(input: &mut Input<'_>, read: impl FnOnce(&mut Input<'_>) -> T) -> Option<T> {
    input.any::<bool>().then(|| read(input))
}

impl Script {
    pub fn read(input: &mut Input<'_>) -> Self {
        let settings = Settings::read(input);
        let on_error = input.pick(&[None, Some(OnError::Any), Some(OnError::Transient), Some(OnError::Never)]);
        let budget = maybe(input, |input| 5 + input.up_to(40) as u32);
        let stops_after = maybe(input, |input| 1 + input.up_to(4) as u32);
        let cancelled_after = maybe(input, time);
        let cuts_off = !input.one_in(4);
        let random = input.any();
        let mut outcomes = vec![Scripted::read(input)];
        while !input.is_empty() && outcomes.len() < 12 {
            outcomes.push(Scripted::read(input));
        }
        Self { settings, on_error, outcomes, budget, stops_after, cancelled_after, cuts_off, random }
    }

    pub fn outcome(&self, number: u32) -> Scripted {
        self.outcomes.get(number as usize - 1).copied().unwrap_or(Scripted::SUCCESS)
    }

    pub fn stops(&self, number: u32) -> bool {
        self.stops_after == Some(number)
    }

    pub fn condition(&self) -> Condition {
        self.on_error.map_or(Condition::new(), |errors| Condition::new().on_error(errors))
    }
}

impl Scripted {
    const SUCCESS: Self = Self {
        takes: Duration::ZERO,
        succeeds: true,
        class: Class::Success,
        server_delay: None,
        is_timeout: false,
        no_retry: None,
    };

    fn read(input: &mut Input<'_>) -> Self {
        let no_retry = [Some(NoRetry::Refused), Some(NoRetry::ExhaustedBelow)];
        Self {
            takes: time(input),
            succeeds: input.one_in(6),
            class: input.pick(&[Class::Transient, Class::Transient, Class::Unknown, Class::Permanent]),
            server_delay: maybe(input, time),
            is_timeout: input.one_in(4),
            no_retry: if input.one_in(10) { input.pick(&no_retry) } else { None },
        }
    }
}

impl Settings {
    fn read(input: &mut Input<'_>) -> Self {
        let factor = 1.0 + f64::from(input.any::<u8>()) / 64.0;
        let backoff = input.pick(&[
            Backoff::Fixed,
            Backoff::Exponential(factor),
            Backoff::Linear,
            Backoff::Fibonacci,
            Backoff::Random,
            Backoff::Decorrelated(factor),
            Backoff::Listed,
        ]);
        let share = f64::from(input.any::<u8>()) / 200.0;
        let extra = time(input);
        let start = time(input);
        Self {
            backoff,
            start,
            listed: (0..=input.up_to(4)).map(|_| time(input)).collect(),
            // Tokio's timer cannot wait for longer than two years.
            cap: maybe(input, time).map(|cap| cap.max(start)).unwrap_or(Duration::from_secs(365 * 86_400)),
            jitter: match backoff {
                // They have none.
                _ if is_random(backoff) => Jitter::None,
                _ => {
                    input.pick(&[Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Share(share), Jitter::Plus(extra)])
                }
            },
            attempts: maybe(input, |input| 1 + input.up_to(7) as u32),
            deadline: maybe(input, time),
            attempt_timeout: maybe(input, time),
            retry_after: input.pick(&[Some(Duration::from_secs(60)), None, Some(extra)]),
            within: input.pick(&[WithinRetryAfter::Raise, WithinRetryAfter::Replace]),
            beyond: input.pick(&[BeyondRetryAfter::GiveUp, BeyondRetryAfter::Wait, BeyondRetryAfter::Ignore]),
        }
    }

    pub fn builder(&self) -> PolicyBuilder {
        let builder = match self.backoff {
            Backoff::Fixed => PolicyBuilder::fixed(self.start),
            Backoff::Exponential(factor) => PolicyBuilder::exponential(self.start).factor(factor),
            Backoff::Linear => PolicyBuilder::linear(self.start),
            Backoff::Fibonacci => PolicyBuilder::fibonacci(self.start),
            Backoff::Random => PolicyBuilder::random(self.start, self.cap),
            Backoff::Decorrelated(factor) => PolicyBuilder::decorrelated(self.start, self.cap).factor(factor),
            Backoff::Listed => PolicyBuilder::delays(&self.listed),
        };
        let builder = builder.max_delay(self.cap).jitter(self.jitter).random_source(random);
        let builder = self.attempts.map_or(builder.unlimited(), |attempts| builder.attempts(attempts));
        let builder = self.deadline.map_or(builder, |deadline| builder.deadline(deadline));
        let builder = self.attempt_timeout.map_or(builder, |timeout| builder.attempt_timeout(timeout));
        match self.retry_after {
            Some(limit) => builder.retry_after(limit).within_retry_after(self.within).beyond_retry_after(self.beyond),
            None => builder.ignore_retry_after(),
        }
    }
}

fn is_random(backoff: Backoff) -> bool {
    matches!(backoff, Backoff::Random | Backoff::Decorrelated(_))
}

thread_local!(static RANDOM: Cell<u64> = const { Cell::new(0) });

/// The numbers of a script are always the same.
pub fn seed(script: &Script) {
    RANDOM.set(script.random);
}

/// Mostly in [0, 1), but a user's function may return anything.
fn random() -> f64 {
    let next = RANDOM.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    RANDOM.set(next);
    match next >> 58 {
        0 => f64::NAN,
        1 => -1.0,
        2 => 2.0,
        3 => 0.0,
        _ => (next >> 11) as f64 / (1_u64 << 53) as f64,
    }
}
