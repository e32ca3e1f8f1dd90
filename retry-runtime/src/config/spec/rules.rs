//! The policy that the keys define, over the attribute's defaults or over a policy of the code.
//!
//! The rules between keys are those of the attribute, in `retry_spec::rules`. They see only the keys that the file writes. The rules here
//! are the same ones for a key of the file and a value of the code's policy, so that no file makes a policy that the attribute would refuse.
//! The message names the key of the file. A file that changes neither of two values is not refused because of them.
//!
//! A key of the schedule changes only itself, because a new cap must not replace the whole schedule, and is refused if it has no effect on
//! the code's schedule. There are two exceptions, for an operator who makes calls shorter in an incident: `attempts` may be less than the
//! code's `delays` need, and with `attempts = 1` the code's other values need not be removed.

use core::time::Duration;

use retry_spec::duration::human;
use retry_spec::key::{Key, Scope};
use retry_spec::keywords::{self, Backoff as Keyword};
use retry_spec::rules::{self, At, Broken};
use retry_spec::schedule;
use retry_spec::values::RetryAfter;

use super::keys::{self, Keys};
use crate::policy::backoff::Backoff;
use crate::policy::builder::Policy;
use crate::policy::event_level::EventLevel;
use crate::policy::jitter::Jitter;
use crate::policy::nested::Nested;
use crate::policy::retry_after::{BeyondRetryAfter, WithinRetryAfter};

/// The policy that the keys change.
#[derive(Clone, Copy)]
#[allow(clippy::large_enum_variant, reason = "it lives only while a file is read")]
pub(crate) enum Base {
    /// The attribute's defaults.
    Defaults,
    /// A policy of the code. What the keys do not change stays.
    Code(Policy),
}

impl Keys {
    /// The policy that is `base`, except for the keys that are written.
    pub(super) fn policy(mut self, base: Base) -> Result<Policy, Broken> {
        if let Base::Code(_) = base {
            self.over_policy();
        }
        if let Some(first) = rules::check(&self.values).into_iter().next() {
            return Err(first);
        }
        let (base, schedule) = match base {
            Base::Defaults => (Policy::new(), self.schedule()),
            Base::Code(code) => (code, self.schedule_over(&code)?),
        };
        let values = &self.values;
        let policy = Policy {
            attempts: values.attempts.unwrap_or(schedule.attempts),
            retry_after: values.retry_after.map_or(base.retry_after, |limit| match limit {
                RetryAfter::AtMost(limit) => Some(limit),
                RetryAfter::Ignore => None,
            }),
            within_retry_after: self.within_retry_after(&base)?,
            beyond_retry_after: self.beyond_retry_after(&base)?,
            drain_limit: values.drain_limit.unwrap_or(base.drain_limit),
            drain_timeout: values.drain_timeout.or(base.drain_timeout),
            deadline: values.deadline.or(base.deadline),
            attempt_timeout: values.attempt_timeout.or(base.attempt_timeout),
            nested: values.nested.map_or(base.nested, |keywords::Nested::Once| Nested::Once),
            events: values.events.map_or(base.events, |level| match level {
                keywords::Events::Info => EventLevel::Info,
                keywords::Events::Debug => EventLevel::Debug,
                keywords::Events::Off => EventLevel::Off,
            }),
            ..schedule
        };
        self.drain_timeout_is_used(&policy)?;
        self.attempt_timeout_is_shorter_than_deadline(&policy)?;
        self.first_delay_fits_into_deadline(&policy)?;
        Ok(policy)
    }

    /// The schedule over the attribute's defaults. The engine gets the first delay of a list here, and the list itself when the
    /// policy is used.
    fn schedule(&self) -> Policy {
        let values = &self.values;
        let standard = Policy::new();
        let start = values.start_or_default().unwrap_or(schedule::START);
        let backoff = match self.delays() {
            Some(delays) => Backoff::Fixed(schedule::listed(&delays, 1)),
            None => {
                let word = values.backoff_or_default().unwrap_or(Keyword::Exponential);
                keys::backoff(word, start, values.factor)
            }
        };
        Policy {
            attempts: values.delays.as_ref().map_or(standard.attempts, |delays| schedule::attempts_of(delays.len())),
            backoff,
            cap: values.max_delay_or_default().unwrap_or(standard.cap),
            jitter: values.jitter_or_default().map_or(standard.jitter, Jitter::from),
            ..standard
        }
    }

    /// The schedule over a policy of the code. A key that has no effect on the code's schedule is an error.
    fn schedule_over(&self, code: &Policy) -> Result<Policy, Broken> {
        let written_jitter = self.values.jitter.map(Jitter::from);
        if let Some(delays) = self.delays() {
            // The list replaces everything that computes delays, the cap included.
            let (attempts, first) = (schedule::attempts_of(delays.len()), schedule::listed(&delays, 1));
            let jitter = written_jitter.unwrap_or(code.jitter);
            return Ok(Policy { attempts, backoff: Backoff::Fixed(first), cap: Duration::MAX, jitter, ..*code });
        }
        self.code_retries(code)?;
        let backoff = self.backoff_over(code)?;
        let jitter = self.jitter_over(code, &backoff)?;
        let cap = self.cap_over(code, &backoff, jitter)?;
        Ok(Policy { backoff, cap, jitter, ..*code })
    }

    /// The code's policy has delays to change.
    fn code_retries(&self, code: &Policy) -> Result<(), Broken> {
        match self.values.first_where(Key::is_about_retries) {
            Some(key) if code.attempts == 1 && self.values.attempts.is_none() => broken(
                key,
                format!("`{key}` has no effect: the code's `attempts = 1` never retries: write `attempts` as well"),
            ),
            _ => Ok(()),
        }
    }

    fn backoff_over(&self, code: &Policy) -> Result<Backoff, Broken> {
        let (code_word, code_start, code_factor) = match code.backoff {
            Backoff::Exponential { start, factor } => (Keyword::Exponential, start, Some(factor)),
            Backoff::Fixed(start) => (Keyword::Fixed, start, None),
            Backoff::Linear(start) => (Keyword::Linear, start, None),
            Backoff::Fibonacci(start) => (Keyword::Fibonacci, start, None),
            Backoff::Random(start) => (Keyword::Random, start, None),
            Backoff::Decorrelated { start, factor } => (Keyword::Decorrelated, start, Some(factor)),
            Backoff::Delays(_) | Backoff::Owned(_) => return self.instead_of(code, "the code lists every delay"),
            Backoff::Custom(_) => return self.instead_of(code, "a function of the code computes the delays"),
        };
        let word = self.values.backoff.unwrap_or(code_word);
        if self.is_written(Key::Factor) && !word.has_factor() {
            let effect = format!("`factor` has no effect with the code's `backoff = \"{}\"`", word.keyword());
            return broken(Key::Factor, format!("{effect}: write `backoff = \"exponential\"` as well"));
        }
        let start = self.values.start.unwrap_or(code_start);
        // Another backoff has another default, and the code's factor was not chosen for it.
        let code_factor = code_factor.filter(|_| word == code_word);
        Ok(keys::backoff(word, start, self.values.factor.or(code_factor)))
    }

    /// Replaces a backoff that has neither a start nor a factor.
    fn instead_of(&self, code: &Policy, what: &str) -> Result<Backoff, Broken> {
        match (self.values.backoff, self.values.start) {
            (Some(word), Some(start)) => Ok(keys::backoff(word, start, self.values.factor)),
            (Some(word), None) => {
                let needs = format!("`backoff = \"{}\"` needs a `start`, because {what}", word.keyword());
                broken(Key::Backoff, format!("{needs}: write for example `start = \"1s\"`"))
            }
            (None, _) => match self.values.first_of(&[Key::Start, Key::Factor]) {
                Some(key) => broken(key, format!("`{key}` has no effect, because {what}: write `backoff` as well")),
                None => Ok(code.backoff),
            },
        }
    }

    fn jitter_over(&self, code: &Policy, backoff: &Backoff) -> Result<Jitter, Broken> {
        let word = match backoff {
            Backoff::Random(_) => Keyword::Random,
            Backoff::Decorrelated { .. } => Keyword::Decorrelated,
            _ => return Ok(self.values.jitter.map_or(code.jitter, Jitter::from)),
        };
        match self.values.jitter {
            None | Some(keywords::Jitter::None) => Ok(Jitter::None),
            Some(_) => broken(Key::Jitter, rules::already_random(word)),
        }
    }

    fn cap_over(&self, code: &Policy, backoff: &Backoff, jitter: Jitter) -> Result<Duration, Broken> {
        let is_constant = matches!(backoff, Backoff::Fixed(_)) && !keywords::Jitter::from(jitter).lengthens();
        let cap = match self.values.max_delay {
            Some(_) if is_constant => {
                let whose = if self.values.backoff.is_some() { "" } else { "the code's " };
                let effect = format!("`max_delay` has no effect with {whose}`backoff = \"fixed\"`");
                return broken(Key::MaxDelay, format!("{effect}: remove it, or write `start` to change the delay"));
            }
            Some(cap) => cap,
            None if is_constant => Duration::MAX,
            None => code.cap,
        };
        if let Some(word) = self.values.backoff.filter(|word| word.is_random() && cap == Duration::MAX) {
            if self.values.max_delay.is_none() {
                return broken(Key::Backoff, rules::needs_upper_bound(word));
            }
        }
        let policy = Policy { backoff: *backoff, cap, jitter, ..*code };
        match policy.first_delay().filter(|first| *first > cap) {
            Some(first) => self.cap_is_too_short(first, cap),
            None => Ok(cap),
        }
    }

    fn within_retry_after(&self, base: &Policy) -> Result<WithinRetryAfter, Broken> {
        let Some(within) = self.values.within_retry_after else {
            return Ok(if self.ignores_server_delays() { WithinRetryAfter::Raise } else { base.within_retry_after });
        };
        self.server_delays_count(Key::WithinRetryAfter, base)?;
        Ok(match within {
            keywords::WithinRetryAfter::Raise => WithinRetryAfter::Raise,
            keywords::WithinRetryAfter::Replace => WithinRetryAfter::Replace,
        })
    }

    fn beyond_retry_after(&self, base: &Policy) -> Result<BeyondRetryAfter, Broken> {
        let Some(beyond) = self.values.beyond_retry_after else {
            return Ok(if self.ignores_server_delays() { BeyondRetryAfter::GiveUp } else { base.beyond_retry_after });
        };
        self.server_delays_count(Key::BeyondRetryAfter, base)?;
        Ok(match beyond {
            keywords::BeyondRetryAfter::GiveUp => BeyondRetryAfter::GiveUp,
            keywords::BeyondRetryAfter::Wait => BeyondRetryAfter::Wait,
            keywords::BeyondRetryAfter::Ignore => BeyondRetryAfter::Ignore,
        })
    }

    /// The file ignores servers' delays, so what the code does with them no longer matters.
    fn ignores_server_delays(&self) -> bool {
        self.values.retry_after == Some(RetryAfter::Ignore)
    }

    /// The code does not ignore servers' delays, or the file changes that.
    fn server_delays_count(&self, key: Key, base: &Policy) -> Result<(), Broken> {
        if base.retry_after.is_some() || self.values.retry_after.is_some() {
            return Ok(());
        }
        let effect = format!("`{key}` has no effect, because the code ignores servers' delays");
        broken(key, format!("{effect}: write `retry_after` as well"))
    }

    fn cap_is_too_short<T>(&self, first: Duration, cap: Duration) -> Result<T, Broken> {
        let (first, cap) = (human(first), human(cap));
        if self.values.max_delay.is_none() {
            let message = format!("`start` ({first}) is longer than the code's `max_delay` ({cap})");
            return broken(Key::Start, format!("{message}: write at most {cap}, or `max_delay` as well"));
        }
        let whose = if self.values.start.is_some() { "`start`" } else { "the code's first delay" };
        let message = format!("`max_delay` ({cap}) is shorter than {whose} ({first})");
        broken(Key::MaxDelay, format!("{message}: write at least {first}"))
    }

    /// There is something to read in the time of `drain_timeout`.
    fn drain_timeout_is_used(&self, policy: &Policy) -> Result<(), Broken> {
        if !self.is_written(Key::DrainTimeout) || policy.drain_limit > 0 {
            return Ok(());
        }
        let effect = "`drain_timeout` has no effect with the code's `drain_limit = 0`";
        broken(Key::DrainTimeout, format!("{effect}: write `drain_limit` as well"))
    }

    /// The attempt timeout is shorter than the deadline. If the keys set both, or neither, there is nothing left to check.
    fn attempt_timeout_is_shorter_than_deadline(&self, policy: &Policy) -> Result<(), Broken> {
        let Some((timeout, deadline)) = policy.attempt_timeout.zip(policy.deadline) else { return Ok(()) };
        let (is_fine, timeout, deadline) = (timeout < deadline, human(timeout), human(deadline));
        match (self.values.attempt_timeout, self.values.deadline) {
            (Some(_), None) if !is_fine => {
                let effect =
                    format!("`attempt_timeout` ({timeout}) has no effect under the code's `deadline` of {deadline}");
                broken(Key::AttemptTimeout, format!("{effect}: write a shorter `attempt_timeout`"))
            }
            (None, Some(_)) if !is_fine => {
                let effect =
                    format!("`deadline` ({deadline}) is not longer than the code's `attempt_timeout` of {timeout}");
                broken(Key::Deadline, format!("{effect}: write a shorter `attempt_timeout` as well"))
            }
            _ => Ok(()),
        }
    }

    /// The shortest first delay ends before the deadline, whether the keys or the code set them.
    fn first_delay_fits_into_deadline(&self, policy: &Policy) -> Result<(), Broken> {
        let Some((first, deadline)) = policy.shortest_first().zip(policy.deadline) else { return Ok(()) };
        if policy.attempts == 1 || first < deadline {
            return Ok(());
        }
        let deadline_key = Some(Key::Deadline).filter(|key| self.is_written(*key));
        let schedule_key = || self.values.first_where(|key| key.row().scope == Scope::Schedule);
        let key = deadline_key.or_else(schedule_key).unwrap_or(Key::Attempts);
        broken(key, rules::first_delay_reaches_deadline(first, deadline))
    }
}

fn broken<T>(key: Key, message: String) -> Result<T, Broken> {
    Err(Broken { key, at: At::Key(key), message })
}
