//! The schedule of the code with the keys that a file changes.

use core::time::Duration;

use retry_spec::duration::human;

use super::Written;
use super::rules::{Broken, broken};
use crate::policy::backoff::Backoff;
use crate::policy::builder::Policy;
use crate::policy::builder::STANDARD_FACTOR;
use crate::policy::jitter::Jitter;

impl Written {
    /// Each key that is written replaces that of the code. A key that has no effect on the code's schedule is refused.
    pub(super) fn schedule_over(&self, code: &Policy) -> Result<Policy, Broken> {
        if let Some(delays) = &self.delays {
            // The list takes the place of everything that computes delays, the cap included.
            let (attempts, first) = (Self::attempts_of(delays), delays[0]);
            let jitter = self.jitter.unwrap_or(code.jitter);
            return Ok(Policy { attempts, backoff: Backoff::Fixed(first), cap: Duration::MAX, jitter, ..*code });
        }
        self.code_retries(code)?;
        let backoff = self.backoff_over(code)?;
        let jitter = self.jitter_over(code, &backoff)?;
        let cap = self.cap_over(code, &backoff, jitter)?;
        Ok(Policy { backoff, cap, jitter, ..*code })
    }

    /// There are delays to change.
    fn code_retries(&self, code: &Policy) -> Result<(), Broken> {
        let key = self.first_of(&["backoff", "start", "factor", "max_delay", "jitter"]);
        match key.filter(|_| code.attempts == 1 && self.attempts.is_none()) {
            Some(key) => broken(
                key,
                format!("`{key}` has no effect: the code's `attempts = 1` never retries: write `attempts` as well"),
            ),
            None => Ok(()),
        }
    }

    fn backoff_over(&self, code: &Policy) -> Result<Backoff, Broken> {
        let (of_code, start_of_code, factor_of_code) = match code.backoff {
            Backoff::Exponential { start, factor } => ("exponential", start, factor),
            Backoff::Fixed(start) => ("fixed", start, STANDARD_FACTOR),
            Backoff::Linear(start) => ("linear", start, STANDARD_FACTOR),
            Backoff::Fibonacci(start) => ("fibonacci", start, STANDARD_FACTOR),
            Backoff::Random(start) => ("random", start, STANDARD_FACTOR),
            Backoff::Decorrelated(start) => ("decorrelated", start, STANDARD_FACTOR),
            Backoff::Delays(_) => return self.instead_of(code, "the code lists every delay"),
            Backoff::Custom(_) => return self.instead_of(code, "a function of the code computes the delays"),
        };
        let word = self.backoff.unwrap_or(of_code);
        if self.factor.is_some() && word != "exponential" {
            let effect = format!("`factor` has no effect with the code's `backoff = \"{word}\"`");
            return broken("factor", format!("{effect}: write `backoff = \"exponential\"` as well"));
        }
        let start = self.start.unwrap_or(start_of_code);
        Ok(Self::computed(word, start, self.factor.unwrap_or(factor_of_code)))
    }

    /// A schedule instead of one that has neither a start nor a factor.
    fn instead_of(&self, code: &Policy, what: &str) -> Result<Backoff, Broken> {
        match (self.backoff, self.start) {
            (Some(word), Some(start)) => Ok(Self::computed(word, start, self.factor.unwrap_or(STANDARD_FACTOR))),
            (Some(word), None) => broken(
                "backoff",
                format!("`backoff = \"{word}\"` needs a `start`, because {what}: write for example `start = \"1s\"`"),
            ),
            (None, _) => match self.first_of(&["start", "factor"]) {
                Some(key) => broken(key, format!("`{key}` has no effect, because {what}: write `backoff` as well")),
                None => Ok(code.backoff),
            },
        }
    }

    fn jitter_over(&self, code: &Policy, backoff: &Backoff) -> Result<Jitter, Broken> {
        let word = match backoff {
            Backoff::Random(_) => "random",
            Backoff::Decorrelated(_) => "decorrelated",
            _ => return Ok(self.jitter.unwrap_or(code.jitter)),
        };
        match self.jitter {
            None | Some(Jitter::None) => Ok(Jitter::None),
            Some(_) => broken("jitter", format!("`backoff = \"{word}\"` is random already: remove `jitter`")),
        }
    }

    fn cap_over(&self, code: &Policy, backoff: &Backoff, jitter: Jitter) -> Result<Duration, Broken> {
        let is_constant = matches!(backoff, Backoff::Fixed(_)) && !matches!(jitter, Jitter::Share(_));
        let cap = match self.max_delay {
            Some(_) if is_constant => {
                let whose = if self.backoff.is_some() { "" } else { "the code's " };
                let effect = format!("`max_delay` has no effect with {whose}`backoff = \"fixed\"`");
                return broken("max_delay", format!("{effect}: remove it, or write `start` to change the delay"));
            }
            Some(most) => most,
            None if is_constant => Duration::MAX,
            None => code.cap,
        };
        let policy = Policy { backoff: *backoff, cap, jitter, ..*code };
        if matches!(backoff, Backoff::Random(_) | Backoff::Decorrelated(_)) && cap == Duration::MAX {
            return self.random_backoff_is_bounded().and(Ok(cap));
        }
        match policy.first_delay().filter(|first| *first > cap) {
            Some(first) => self.cap_is_too_short(first, cap).and(Ok(cap)),
            None => Ok(cap),
        }
    }

    fn cap_is_too_short(&self, first: Duration, cap: Duration) -> Result<(), Broken> {
        let (first, most) = (human(first), human(cap));
        if self.max_delay.is_none() {
            let message = format!("`start` ({first}) is longer than the code's `max_delay` ({most})");
            return broken("start", format!("{message}: write at most {most}, or `max_delay` as well"));
        }
        let whose = if self.start.is_some() { "`start`" } else { "the code's first delay" };
        let message = format!("`max_delay` ({most}) is shorter than {whose} ({first})");
        broken("max_delay", format!("{message}: write at least {first}"))
    }
}
