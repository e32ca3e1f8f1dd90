//! What the keys mean together: the rules of the attribute, in its words. One rule a function.

use retry_spec::duration::human;

use super::Written;
use crate::policy::builder::Policy;
use crate::policy::jitter::Jitter;

/// What is wrong, and at which key.
pub(super) struct Broken {
    pub(super) key: &'static str,
    pub(super) message: String,
}

type Rule = Result<(), Broken>;

pub(super) fn broken<T>(key: &'static str, message: String) -> Result<T, Broken> {
    Err(Broken { key, message })
}

impl Written {
    /// Rules about keys that are written together, whatever the code has.
    pub(super) fn check(&self) -> Rule {
        self.one_attempt_has_no_schedule()?;
        self.delays_are_the_whole_backoff()?;
        self.delays_are_all_used()?;
        self.factor_is_exponential()?;
        self.random_backoff_has_no_jitter()?;
        self.drain_timeout_is_used()?;
        self.attempt_timeout_is_below_deadline()
    }

    /// Rules about a schedule that is written without one of the code below it.
    pub(super) fn check_alone(&self) -> Rule {
        self.random_backoff_is_bounded()?;
        self.max_delay_is_no_less_than_start()?;
        self.fixed_delay_needs_no_cap()
    }

    /// With `attempts = 1` there is no delay that a schedule could be for.
    fn one_attempt_has_no_schedule(&self) -> Rule {
        const SCHEDULE: [&str; 10] = [
            "backoff",
            "start",
            "factor",
            "max_delay",
            "delays",
            "jitter",
            "retry_after",
            "drain_limit",
            "drain_timeout",
            "nested",
        ];
        match self.first_of(&SCHEDULE).filter(|_| self.attempts == Some(1)) {
            Some(key) => broken(key, format!("`{key}` has no effect: `attempts = 1` never retries")),
            None => Ok(()),
        }
    }

    /// `delays` is a list of every delay: there is nothing to compute and nothing to cap.
    fn delays_are_the_whole_backoff(&self) -> Rule {
        match self.first_of(&["backoff", "start", "factor", "max_delay"]).filter(|_| self.wrote("delays")) {
            Some(key) => broken(
                "delays",
                format!("`delays` spells out every delay, which contradicts `{key}`: remove one of them"),
            ),
            None => Ok(()),
        }
    }

    /// Every delay of the list is for a retry that can happen.
    fn delays_are_all_used(&self) -> Rule {
        let (Some(number), Some(delays)) = (self.attempts, &self.delays) else { return Ok(()) };
        let (count, retries) = (delays.len(), usize::try_from(number - 1).unwrap_or(usize::MAX));
        if count <= retries {
            return Ok(());
        }
        let needed = count + 1;
        broken(
            "delays",
            format!("{count} delays are for {needed} attempts, but `attempts` is {number}: the rest is never used"),
        )
    }

    /// Only exponential delays have a factor.
    fn factor_is_exponential(&self) -> Rule {
        match self.backoff.filter(|word| *word != "exponential" && self.wrote("factor")) {
            Some(word) => {
                broken("factor", format!("`factor` has no effect with `backoff = \"{word}\"`: remove one of them"))
            }
            None => Ok(()),
        }
    }

    /// A random delay has both bounds.
    pub(super) fn random_backoff_is_bounded(&self) -> Rule {
        match self.random_backoff().filter(|_| !self.wrote("max_delay")) {
            Some(word) => broken(
                "backoff",
                format!("`backoff = \"{word}\"` needs an upper bound: write for example `max_delay = \"30s\"`"),
            ),
            None => Ok(()),
        }
    }

    /// Randomness on a random delay would only blur its bounds.
    fn random_backoff_has_no_jitter(&self) -> Rule {
        match self.random_backoff().filter(|_| self.jitter.is_some_and(|jitter| jitter != Jitter::None)) {
            Some(word) => broken("jitter", format!("`backoff = \"{word}\"` is random already: remove `jitter`")),
            None => Ok(()),
        }
    }

    fn random_backoff(&self) -> Option<&'static str> {
        self.backoff.filter(|word| matches!(*word, "random" | "decorrelated"))
    }

    /// The cap is not below the first delay, which is 100 ms if it is not written.
    fn max_delay_is_no_less_than_start(&self) -> Rule {
        let first = self.start();
        match self.max_delay.filter(|most| *most < first) {
            Some(most) => {
                let (first, most) = (human(first), human(most));
                let message = format!("`max_delay` ({most}) is shorter than `start` ({first}): write at least {first}");
                broken("max_delay", message)
            }
            None => Ok(()),
        }
    }

    /// Delays that do not grow never reach a cap, unless jitter makes them longer.
    fn fixed_delay_needs_no_cap(&self) -> Rule {
        let longer = matches!(self.jitter, Some(Jitter::Share(_)));
        if self.backoff == Some("fixed") && self.wrote("max_delay") && !longer {
            let message = "`max_delay` has no effect with `backoff = \"fixed\"`: remove one of them";
            return broken("max_delay", message.to_owned());
        }
        Ok(())
    }

    /// There are bodies to read.
    fn drain_timeout_is_used(&self) -> Rule {
        if self.wrote("drain_timeout") && self.drain_limit == Some(0) {
            let message = "`drain_timeout` has no effect with `drain_limit = 0`: remove one of them";
            return broken("drain_timeout", message.to_owned());
        }
        Ok(())
    }

    /// An attempt timeout that the deadline precedes never fires.
    fn attempt_timeout_is_below_deadline(&self) -> Rule {
        let (Some(one), Some(all)) = (self.attempt_timeout, self.deadline) else { return Ok(()) };
        if one < all {
            return Ok(());
        }
        let (one, all) = (human(one), human(all));
        let effect = format!("`attempt_timeout` ({one}) has no effect under a `deadline` of {all}");
        broken("attempt_timeout", format!("{effect}: write a shorter `attempt_timeout`"))
    }

    /// Under the deadline there is room for the shortest first delay, or no retry is ever made; whoever said the one or the other.
    pub(super) fn first_delay_fits_the_deadline(&self, policy: &Policy) -> Rule {
        let Some((first, all)) = policy.shortest_first().zip(policy.deadline) else { return Ok(()) };
        if policy.attempts == 1 || first < all {
            return Ok(());
        }
        let (first, all) = (human(first), human(all));
        let what = format!("the first delay is at least {first}, which does not fit in the `deadline` of {all}");
        let key = self.first_of(&["deadline", "start", "delays", "backoff", "factor", "max_delay", "jitter"]);
        broken(key.unwrap_or("attempts"), format!("{what}: no retry could be made"))
    }

    pub(super) fn first_of(&self, keys: &[&'static str]) -> Option<&'static str> {
        keys.iter().copied().find(|key| self.wrote(key))
    }
}
