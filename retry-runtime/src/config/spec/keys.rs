//! The keys of one policy with their values.

use core::time::Duration;

use retry_spec::key::Key;
use retry_spec::keywords::Backoff as Keyword;
use retry_spec::number;
use retry_spec::values::{Base, Values};

use super::value::{self, Value};
use crate::policy::backoff::Backoff;

/// The keys that are written. Each value alone is valid. `rules` checks what they mean together.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) values: Values,
}

impl Keys {
    pub(super) fn read(&mut self, key: Key, value: &Value) -> Result<(), String> {
        let values = &mut self.values;
        match key {
            Key::Attempts => values.attempts = Some(value::attempts(value)?),
            Key::Backoff => values.backoff = Some(value::backoff(value)?),
            Key::Start => values.start = Some(value::duration(value)?),
            Key::Factor => values.factor = Some(value::factor(value)?),
            Key::MaxDelay => values.max_delay = Some(value::duration(value)?),
            Key::Delays => values.delays = Some(value::delays(value)?.into_iter().map(Some).collect()),
            Key::Jitter => values.jitter = Some(value::jitter(value)?),
            Key::RetryAfter => values.retry_after = Some(value::retry_after(value)?),
            Key::WithinRetryAfter => values.within_retry_after = Some(value::within_retry_after(value)?),
            Key::BeyondRetryAfter => values.beyond_retry_after = Some(value::beyond_retry_after(value)?),
            Key::DrainLimit => values.drain_limit = Some(value::bytes(value)?),
            Key::DrainTimeout => values.drain_timeout = Some(value::drain_timeout(value)?),
            Key::Deadline => values.deadline = Some(number::deadline(value::duration(value)?)?),
            Key::AttemptTimeout => values.attempt_timeout = Some(number::attempt_timeout(value::duration(value)?)?),
            Key::Nested => values.nested = Some(value::nested(value)?),
            Key::Events => values.events = Some(value::events(value)?),
            Key::Budget
            | Key::Breaker
            | Key::Hedge
            | Key::HedgeMax
            | Key::RandomSource
            | Key::OnStatus
            | Key::OnError
            | Key::OnOk
            | Key::Until
            | Key::ErrorDelay
            | Key::OnRetry
            | Key::ServerDelay
            | Key::Policy
            | Key::Bind
            | Key::Clone
            | Key::Name
            | Key::Observer
            | Key::Sleep
            | Key::Blocking
            | Key::Crate => return Err(only_in_code(key)),
        }
        values.written.push(key);
        Ok(())
    }

    /// Marks the keys that are not written as those of a policy of the code, not as the attribute's defaults.
    pub(super) fn over_policy(&mut self) {
        self.values.base = Base::Policy;
    }

    pub(super) fn is_written(&self, key: Key) -> bool {
        self.values.is_written(key)
    }

    pub(super) fn delays(&self) -> Option<Vec<Duration>> {
        self.values.delays.as_ref().map(|delays| delays.iter().copied().flatten().collect())
    }
}

/// The message for a key whose value is code.
pub(super) fn only_in_code(key: Key) -> String {
    format!("`{key}` can be set only in code: remove it")
}

/// The backoff with a word. A factor that is not set has the default of the backoff.
pub(super) fn backoff(word: Keyword, start: Duration, factor: Option<f64>) -> Backoff {
    let factor = factor.unwrap_or(word.default_factor());
    match word {
        Keyword::Exponential => Backoff::Exponential { start, factor },
        Keyword::Fixed => Backoff::Fixed(start),
        Keyword::Linear => Backoff::Linear(start),
        Keyword::Fibonacci => Backoff::Fibonacci(start),
        Keyword::Random => Backoff::Random(start),
        Keyword::Decorrelated => Backoff::Decorrelated { start, factor },
    }
}
